"""Generated from openapi.yaml (sha256 75648c817699e88945354e278c453dcfe82f8a0aebe5446eb6e4799602f09318)."""
