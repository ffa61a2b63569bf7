"""What the commands over any kind share: the server's contract, what is printed, what is typed, and what went wrong."""
