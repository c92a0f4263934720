"""The ways in which a fit is trained, each in a file of its own."""
