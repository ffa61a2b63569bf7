"""Generated from openapi.yaml (sha256 69f6a72821017c2a4078950f0f9c46e1dca8631b7c4311df096d0087b6256c67)."""
