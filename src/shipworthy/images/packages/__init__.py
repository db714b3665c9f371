"""Which packages an image has: what package managers of distributions and of languages say that they installed."""

from shipworthy.images.packages.inventory import Inventory, inventory, is_wanted, read
from shipworthy.images.packages.package import Distribution, Package

__all__ = ["Distribution", "Inventory", "Package", "inventory", "is_wanted", "read"]
