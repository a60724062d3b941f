"""The built-in cloud directory."""
