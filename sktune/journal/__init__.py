"""What is written down of a search, and how a search is continued from it."""
