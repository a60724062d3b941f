"""Real, throw-away servers (Active Directory, SMTP) for the demo, the tests and the benchmarks."""
