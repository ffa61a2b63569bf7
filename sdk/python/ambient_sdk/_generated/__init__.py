"""Generated from openapi.yaml (sha256 c333c6ea9cfeb9a3d3bd9e7dc3eab7b109a71098f8b574b7a02128a265ef579a)."""
