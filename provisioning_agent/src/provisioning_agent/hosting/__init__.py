"""The agent on its host: system user, directories, systemd unit."""
