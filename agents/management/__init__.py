"""Management commands of the hybrid identity service."""
