"""Logging in from the command line: contexts, the flows of OpenID Connect, and tokens that are renewed by themselves."""
