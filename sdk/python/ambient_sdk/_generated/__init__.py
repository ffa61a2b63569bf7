"""Generated from openapi.yaml (sha256 8099f29ba7651f6c7041bc86edaeb17318a89183f1ff2984944d8f1bca8430e1)."""
