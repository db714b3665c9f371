"""Merkle trees and their proofs, as RFC 6962 defines them (section 2.1): SHA-256, a byte tells leaves from nodes.

Proofs are verified as in RFC 9162, sections 2.1.3.2 and 2.1.4.2, from the proof alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

EMPTY = hashlib.sha256(b"").digest()
Subtree = Callable[[int, int], bytes]
"""The hash of the complete subtree of 2**level leaves, by its level and its number at that level."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def range_hash(subtree: Subtree, low: int, high: int) -> bytes:
    """The hash of the entries from `low` to before `high`; `low` is where such a range can begin in a tree."""
    size = high - low
    if size == 0:
        return EMPTY
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return subtree(level, low >> level)
    middle = low + _split(size)
    return node_hash(range_hash(subtree, low, middle), range_hash(subtree, middle, high))


def inclusion_proof(subtree: Subtree, index: int, size: int) -> list[bytes]:
    """The hashes that lead from the entry at `index` to the root of the tree of `size` entries (PATH of RFC 6962).
    Raises ValueError when it is not in the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} in a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(range_hash(subtree, middle, high))
            high = middle
        else:
            path.append(range_hash(subtree, low, middle))
            low = middle
    return path[::-1]


def consistency_proof(subtree: Subtree, old: int, new: int) -> list[bytes]:
    """The hashes that show that the tree of `old` entries is the beginning of that of `new` (PROOF of RFC 6962). Raises
    ValueError unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError(f"a tree of {old} cannot be the beginning of one of {new}")
    path: list[bytes] = []
    low, high, whole = 0, new, True
    while old - low != high - low:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(range_hash(subtree, middle, high))
            high = middle
        else:
            path.append(range_hash(subtree, low, middle))
            low, whole = middle, False
    if not whole:
        path.append(range_hash(subtree, low, high))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf's hash at `index` to the root of a tree of `size` entries."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0 or len(sibling) != 32:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `old` entries with `old_root` is the beginning of the other one."""
    if not 0 < old <= new or any(len(one) != 32 for one in proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
