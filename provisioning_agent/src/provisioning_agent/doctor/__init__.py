"""Every link from this host to the domain controllers and the portal, tried one by one."""
