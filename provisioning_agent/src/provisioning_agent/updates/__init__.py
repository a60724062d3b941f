"""Signed updates: fetched and verified with TUF, installed beside the running version, taken back if they fail."""
