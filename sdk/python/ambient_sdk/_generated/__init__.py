"""Generated from openapi.yaml (sha256 6088d48086ee89459496218ef69bf0fcb525b9bb10c92bcb33517ea89b0fad0f)."""
