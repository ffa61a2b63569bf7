"""Generated from openapi.yaml (sha256 f9fa99f0d16a4e9690fd455d6fb3ba6aa372ef2f258a01f62ec6acc3e5ab7b49)."""
