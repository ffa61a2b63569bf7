"""Generated from openapi.yaml (sha256 a030678b1a6675558abc3a04cae4361c64b3ad3f35756767e2e36f8efcd5d3d8)."""
