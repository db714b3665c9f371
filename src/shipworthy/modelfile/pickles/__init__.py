"""Pickle, read without building anything: a symbolic machine, a policy of names, rules for calls."""
