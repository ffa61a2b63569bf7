"""Generated from openapi.yaml (sha256 933d7c936b65683a6ccc75f79a18bfa6fb4f8d8b72af5be5e12b41852978da2b)."""
