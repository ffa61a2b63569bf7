"""Generated from openapi.yaml (sha256 abf46d31fdecd6ff600719a09bf8b01965c9127b9fc867c78e253462233bda6c)."""
