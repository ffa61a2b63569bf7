"""Generated from openapi.yaml (sha256 85d93a658e526d9856cd9cf00767ce4b038c5b66777eaaeb5ed9f9f6f601d5c1)."""
