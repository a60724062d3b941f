"""Commands of the provisioning service, one per file."""
