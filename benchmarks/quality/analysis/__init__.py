"""What is made of runs: regret, ranks and tests, their tables and their picture."""
