"""Generated from openapi.yaml (sha256 bc578c24a62fa8e54145d0a3367404da8c83bcef0548f077817d7ee666b8af41)."""
