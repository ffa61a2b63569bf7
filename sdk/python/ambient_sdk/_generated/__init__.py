"""Generated from openapi.yaml (sha256 7a3419a1bc8594df7eedabac837a7aa7872b64fbe0b973fddfbcdca5f8edf7dd)."""
