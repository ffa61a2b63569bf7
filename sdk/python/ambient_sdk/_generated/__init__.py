"""Generated from openapi.yaml (sha256 6e576a525b0a2d66256789cdca84c8b4f9f60f4d098cd8dc9a6569257c56d9a2)."""
