"""The wizard: from an empty host to the first bootstrap, step by step."""
