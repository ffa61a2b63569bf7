"""Generated from openapi.yaml (sha256 1a02c56dd6921bc1c9019c720ac301dac4ed51d5083095fdbfa2d1a3a4323975)."""
