"""Signed updates of agents: a TUF repository (theupdateframework.io) whose files are rows."""
