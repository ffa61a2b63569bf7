"""Generated from openapi.yaml (sha256 253703c0aafbc007c2b63341c0a39ea9c112bb2a77e671411586bf9692b424ca)."""
