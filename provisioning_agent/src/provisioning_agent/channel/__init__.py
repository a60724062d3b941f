"""Talking to the hybrid identity service: endpoints, loops, leases."""
