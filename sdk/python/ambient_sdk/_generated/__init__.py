"""Generated from openapi.yaml (sha256 715ff7c9551457012fc7fb785d9a7d84cfa86aff4fab1b48dae7c64cba555e39)."""
