"""Generated from openapi.yaml (sha256 aca48209c855d78e170c9c3efa2753c0b62411803ac77ad63413d6444f962c73)."""
