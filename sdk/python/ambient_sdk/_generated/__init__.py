"""Generated from openapi.yaml (sha256 6dc6051b3af59ea873c9e8b23a6b98c04b57411907be2b961237000a0294c481)."""
