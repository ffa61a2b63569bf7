"""Generated from openapi.yaml (sha256 48cf77e9369e09b319ff87fccd94efc10dfb6581671df07f06c9803fabe242a3)."""
