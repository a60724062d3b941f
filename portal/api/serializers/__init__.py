"""What travels in the bodies of the REST API."""
