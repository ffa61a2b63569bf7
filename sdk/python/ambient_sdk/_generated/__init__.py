"""Generated from openapi.yaml (sha256 4446d9afae24597339da58b6639f7f348c8fec7c40799b2e57d324229a519cde)."""
