"""The cycle, step by step. Each step returns hints that name the next one; :mod:`provisioning.tasks` sends them."""
