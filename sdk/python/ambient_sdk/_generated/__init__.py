"""Generated from openapi.yaml (sha256 ecca78738135c36a5d6757b7cff433e35d882cc196b39d1af3d44a1a52b5055b)."""
