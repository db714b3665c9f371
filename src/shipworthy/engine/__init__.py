"""Runs stages and checks. Knows no particular check, store, key or stage."""
