"""Generated from openapi.yaml (sha256 307fe9405467b59d915f9df3dda29501787e80ab73b35c8a047c58b62f28855e)."""
