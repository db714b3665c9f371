"""Verified loading: the bytes that are scanned and whose signature is checked are the bytes that are loaded."""

from __future__ import annotations

from shipworthy.guard.load import load

__all__ = ["load"]
