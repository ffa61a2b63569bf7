"""Generated from openapi.yaml (sha256 59232da8cf0df9a40789cab51e7918d222fb8f1e61c65b95f5488382d4ec8263)."""
