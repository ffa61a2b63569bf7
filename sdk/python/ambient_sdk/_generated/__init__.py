"""Generated from openapi.yaml (sha256 1845abbe9c9ee150724f66c9147c58acd598f9c8c7bc5ffd15c705d5813212d2)."""
