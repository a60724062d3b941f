"""What the agent is tested with: a portal, a host to run on, a directory server that misbehaves."""
