"""REST endpoints for people and scripts."""
