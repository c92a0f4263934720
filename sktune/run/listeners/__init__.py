"""What is told of a search as it goes."""
