"""Generated from openapi.yaml (sha256 78bf5e07fdb2ce301fe96109783952a24c6ded150df2bf0f33180a6a7dc8b263)."""
