"""The REST API's endpoints, one file a family."""
