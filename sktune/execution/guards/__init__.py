"""What is around a fit: random states, threads, a time limit, Ctrl-C."""
