"""Generated from openapi.yaml (sha256 4c60e9b7ef77b6c06dbb50eeaf25f55a9d75cd36e92da36f31b3da984f9c0fda)."""
