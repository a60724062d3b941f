"""The agent's own accounts in Active Directory: made, found again, and their passwords changed in time."""
