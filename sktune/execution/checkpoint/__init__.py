"""States of paused fits: how they are written, read and shared."""
