"""The order system's side: what is told it, how it is signed and sent, until it is received."""
