"""Checks: code."""
