"""One module for each object of the contract."""
