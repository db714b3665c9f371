"""Checks: infrastructure."""
