"""The hybrid identity service: agents, domains, certificates, bootstrap, and the service bus."""
