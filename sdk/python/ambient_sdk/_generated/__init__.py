"""Generated from openapi.yaml (sha256 593709e1a8a5e2604db9183799d0b036ffca8a5fb5c9fabe1eb21d51e3a1dbf9)."""
