"""Continuous integration: workflows that outsiders can make run their code, and what those hand out."""
