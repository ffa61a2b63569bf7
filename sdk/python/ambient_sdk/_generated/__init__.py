"""Generated from openapi.yaml (sha256 bdf7962f578f78ba782206fc2f1a52a695329b6e1bc68188e7bf5d0dec1284ea)."""
