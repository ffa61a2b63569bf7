"""Generated from openapi.yaml (sha256 578316c8340542b31a3bcae5298408f1568bd560c05085fee14a48fe42631ef4)."""
