"""What is around a fit: random states, threads, limits of time and memory, Ctrl-C."""
