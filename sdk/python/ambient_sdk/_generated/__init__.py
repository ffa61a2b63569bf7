"""Generated from openapi.yaml (sha256 fd0fd74a9326cdce0000da6c0ca5ece9017b6d7ef32c019ff1caf0bdf0b698ec)."""
