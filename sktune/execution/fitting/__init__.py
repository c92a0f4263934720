"""One unit of fits, from slicing the data to the scores."""
