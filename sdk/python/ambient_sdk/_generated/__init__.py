"""Generated from openapi.yaml (sha256 e3728fe3e5916c8c1ac4e1ff298145ef8a6562a83c3d1e3b931127b5185e4f98)."""
