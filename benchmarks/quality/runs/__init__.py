"""What a run is, which are made, and the file that keeps them."""
