"""Generated from openapi.yaml (sha256 536b92f90a66f55092cdae8fc026c097d91ca97dbb9446e99fd47401db95854e)."""
