"""Where changes are written to: one protocol, one module a target."""
