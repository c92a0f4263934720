"""Trainers: how a fit is trained, each kind in a file of its own."""
