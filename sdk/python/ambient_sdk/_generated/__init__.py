"""Generated from openapi.yaml (sha256 0c7862b8bf3991218b9fb4a1e95a293d52fb326efa03d2757b1115b1c8061a01)."""
