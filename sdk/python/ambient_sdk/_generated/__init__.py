"""Generated from openapi.yaml (sha256 3d6a0497b611225165a26760f215b6fcb58854d1df81301f4da50bf6cbff8a9c)."""
