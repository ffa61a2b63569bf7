"""Generated from openapi.yaml (sha256 9ffd7d8ae6c5434cb383dc26db38800c3f12083908d6f1b0f98da7e4005d4633)."""
