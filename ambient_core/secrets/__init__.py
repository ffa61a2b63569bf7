"""What is stored sealed: the ring of keys, the secret fields of a row, and sealing all of them anew."""
