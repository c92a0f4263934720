"""One search, from its beginning to its end or to Ctrl-C."""
