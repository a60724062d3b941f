"""The wire contract between agent and hybrid identity service, written once and used by both ends."""
