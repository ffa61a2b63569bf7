"""Generated from openapi.yaml (sha256 e110d44dcdace70851db979fce12c51fd403033624a5d33e7e4f5bba09336575)."""
