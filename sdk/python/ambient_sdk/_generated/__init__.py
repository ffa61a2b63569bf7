"""Generated from openapi.yaml (sha256 3cb87b9f7532de01777af8b714c2e43e84623dc2bb4630de088367bec2acd288)."""
