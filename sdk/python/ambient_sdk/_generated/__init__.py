"""Generated from openapi.yaml (sha256 4482ccb14f33db8e686eab0503d37c3893b36efea9a313a78014ded3bde69b75)."""
