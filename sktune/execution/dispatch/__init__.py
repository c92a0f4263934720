"""Hands units of fits to joblib's workers, and copes with workers that are lost."""
