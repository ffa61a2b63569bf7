"""Generated from openapi.yaml (sha256 a392a8884385d4062a344091df6c7a252c9f9d1903c4f3ace97a4ff36f4c3034)."""
