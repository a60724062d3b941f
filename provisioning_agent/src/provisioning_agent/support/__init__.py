"""What a running agent writes down, and the bundle of it that may leave the host."""
