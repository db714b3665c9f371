"""Fuzzing harnesses: short runs are tests, long ones are started by hand."""
