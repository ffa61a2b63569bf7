"""Generated from openapi.yaml (sha256 0f26f7b0560c5842c6edfb5f81f1e74713705ae5fd155448b0f35b9c725b8f59)."""
