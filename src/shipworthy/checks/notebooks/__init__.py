"""Checks: notebooks."""
