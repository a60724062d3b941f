"""What the agent's account may do in a domain: named sets of rights, granted, shown and taken back."""
