"""Generated from openapi.yaml (sha256 278213ba78910a7380bc5b107c82c3f85931a7add32617e1a18adb2904d3b40d)."""
