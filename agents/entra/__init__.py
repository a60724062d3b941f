"""Letting an agent in on the word of Microsoft Entra: a person signs in there, the portal judges the ID token."""
