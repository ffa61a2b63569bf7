"""Generated from openapi.yaml (sha256 87b84390c047da7f97018303f7d2796869fafcf96c0155e10ab0b09d024f0aae)."""
