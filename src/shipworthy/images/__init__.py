"""Container images, read: layouts and archives, layers, the final tree, packages, bills of materials.

A library of its own, standard library only. Everything in an image is hostile: sizes, names, counts and depths are
bounded, digests are verified while bytes are read, and nothing is written outside of the folder that is given.
"""

from shipworthy.images.errors import DigestError, HostileError, ImageError, LimitError, Limits
from shipworthy.images.layers import Hidden, Node, Tree, merged, walk_layer
from shipworthy.images.layout import Image, Layer, looks_like_archive, open_image
from shipworthy.images.unpack import LayerFile, Unpacked, layer_files, unpack, unpack_layer

__all__ = [
    "DigestError",
    "Hidden",
    "HostileError",
    "Image",
    "ImageError",
    "Layer",
    "LayerFile",
    "LimitError",
    "Limits",
    "Node",
    "Tree",
    "Unpacked",
    "layer_files",
    "looks_like_archive",
    "merged",
    "open_image",
    "unpack",
    "unpack_layer",
    "walk_layer",
]
