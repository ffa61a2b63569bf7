"""Generated from openapi.yaml (sha256 4a4007d0f0d132567a39077af4c81209f684853997f7b2e3b8948be8bca4700b)."""
