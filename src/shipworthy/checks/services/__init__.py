"""Checks of a running service, asked from outside. They talk to its address and to nothing else."""
