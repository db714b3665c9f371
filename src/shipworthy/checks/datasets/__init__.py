"""Checks: datasets."""
