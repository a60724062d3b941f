"""The service bus: requests wait in PostgreSQL, agents lease them over a long poll and answer in pages."""
