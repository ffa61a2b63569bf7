"""Generated from openapi.yaml (sha256 25aeef347bede7ef5eb8272ad14db8822491bcb73fde32fd2502a818857b9eb1)."""
