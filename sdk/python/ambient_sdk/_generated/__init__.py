"""Generated from openapi.yaml (sha256 32a0ba4410402ce5daff39584804115a4e0fb2e91a01bcd8071ed356308d3c8a)."""
