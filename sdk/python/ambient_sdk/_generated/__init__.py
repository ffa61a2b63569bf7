"""Generated from openapi.yaml (sha256 b91a70fd3da5c4ede47b92a92dd2fb8fc9a0294e97d9e89e1180d2b82ca31f32)."""
