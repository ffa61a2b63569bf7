"""Generated from openapi.yaml (sha256 83230b016e83eb036aa1dac67e34fad24a58b7fdabd59e69667144c7f2b42907)."""
