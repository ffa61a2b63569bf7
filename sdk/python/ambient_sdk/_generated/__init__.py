"""Generated from openapi.yaml (sha256 bbb7aa5410485014f4c4e4d9bb68800b577966db2d3d5a5fd9fed058ef4225f3)."""
