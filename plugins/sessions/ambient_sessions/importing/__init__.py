"""Sessions of the legacy platform: read into our rows, mirrored while both live, handed over and back.

The legacy objects are only ever read. What is read goes through the API, by actions that the control plane alone may use.
"""
