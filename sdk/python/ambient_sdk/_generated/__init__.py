"""Generated from openapi.yaml (sha256 9f9e6ac4d5df1ffb759e7f52f1af4347ad1b927191fb7e517c9c9ca9b4b776df)."""
