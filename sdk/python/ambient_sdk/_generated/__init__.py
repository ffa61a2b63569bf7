"""Generated from openapi.yaml (sha256 c7ce79c562d2bf5fb5475d18ffe8cd4cf5f27e3f1646532ba11158405f743dae)."""
