"""The HTTP side of the hybrid identity service."""
