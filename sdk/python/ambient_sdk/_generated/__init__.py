"""Generated from openapi.yaml (sha256 83e12157d2537cf1e4b616faa6ab753874eff584fafe437424969305896bab53)."""
