"""Generated from openapi.yaml (sha256 e8771456f30ebf4eeb637efc8e5c96a999e977c63989193eb3523fd4fae2a455)."""
