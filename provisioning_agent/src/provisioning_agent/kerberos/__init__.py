"""Signing in by Kerberos: the optional part of the agent, ``isthmus-agent[kerberos]``."""
