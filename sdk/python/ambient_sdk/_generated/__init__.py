"""Generated from openapi.yaml (sha256 976252bd9fa11bce2490a3ef7c08aba5077295fa2800639b520cd6882c1d8410)."""
