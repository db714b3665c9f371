"""Checks: secrets."""
