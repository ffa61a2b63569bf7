"""The control plane: keeps the world as the rows say. Generic; it knows no kind."""
