"""What users hand to a search, read and checked before the first fit."""
