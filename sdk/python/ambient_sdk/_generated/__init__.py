"""Generated from openapi.yaml (sha256 eb116bbd1b7b8e1c304e004eb16702b383e708d69022ba1ad92eb076715fb2fd)."""
