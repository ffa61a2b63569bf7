"""Generated from openapi.yaml (sha256 0441fd4e56097a6084b7ed66170e819bf5f55bf75673446090e8df7173f0986d)."""
