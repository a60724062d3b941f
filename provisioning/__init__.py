"""The provisioning service: the cycle, its engine and its targets."""
