"""What is around a fit: random states, settings, threads, a time limit, Ctrl-C."""
