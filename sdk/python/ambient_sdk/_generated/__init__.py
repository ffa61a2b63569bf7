"""Generated from openapi.yaml (sha256 fb9e3fba4769c7c2b9e758ed3cd873bc17b309a2c773ca08567bcbcbabbd3f51)."""
