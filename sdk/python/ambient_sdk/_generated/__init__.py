"""Generated from openapi.yaml (sha256 17b62b67ae0ecbd7e7da694138389b81cae0e152031cd492e2b2aec06cd2de74)."""
