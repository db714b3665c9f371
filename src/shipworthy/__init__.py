"""Shipworthy: is this model, and the software around it, worthy to ship?"""

__version__ = "0.1.0"
