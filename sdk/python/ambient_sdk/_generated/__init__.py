"""Generated from openapi.yaml (sha256 0c1dc3f8f7297a7e25fb2960f93fd08d1815f181be4671c2d1ccc8cbd33abddd)."""
