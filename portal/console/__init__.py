"""The admin console: what people see and steer."""
