"""Checks: models."""
