"""What the console's templates can use."""
