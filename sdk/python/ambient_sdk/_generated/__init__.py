"""Generated from openapi.yaml (sha256 7de66870a8b7ec968afbb3509770a408e666555a1d38a969955fa497b344a7c0)."""
