"""Checks: compliance."""
