"""Around a fit: random states, settings, threads, limits of time and memory, Ctrl-C."""
