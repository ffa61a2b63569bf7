"""Generated from openapi.yaml (sha256 bf4db5ee14204d1c03be5a77bc4f06de7fc2ece497e4aeefef764787a2d606a0)."""
