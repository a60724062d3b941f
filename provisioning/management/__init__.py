"""Commands of the provisioning service."""
