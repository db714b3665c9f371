"""Checks: dependencies."""
