"""Nets of one shape, trained as one; imported when there is something to stack."""
