"""Generated from openapi.yaml (sha256 8d7f77738548908bbbe630891897c2c808096da0f371fb90a53cd1e47a708ae5)."""
