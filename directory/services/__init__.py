"""Bulk reads and writes of the built-in directory. Everything that changes it goes through here."""
