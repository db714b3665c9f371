"""Tar archives of training samples (WebDataset shards), told from other tar archives by the names of their members.

Source: the WebDataset format: the members of one sample follow each other and share the name up to the first dot of its
last part; what comes after that dot says how the member is decoded.
"""

from __future__ import annotations

from itertools import pairwise

_MEDIA = frozenset("jpg jpeg png webp ppm pgm pbm bmp tif tiff mp4 avi mov mkv webm wav flac mp3 ogg opus m4a".split())


def is_shard(head: bytes) -> bool:
    """Do the members in the first bytes of a tar archive look like samples?

    They do when two that follow each other have one name and different endings; of a member that reaches beyond
    `head`, so that no second one is seen, when it is a picture, a sound or a film.
    """
    names, complete = _names(head)
    samples = [_split(name) for name in names]
    if any(one[0] == two[0] and one[1] != two[1] for one, two in pairwise(samples)):
        return True
    return not complete and len(samples) == 1 and samples[0][1].rpartition(".")[2] in _MEDIA


def _split(name: str) -> tuple[str, str]:
    folder, _, last = name.rpartition("/")
    stem, _, ending = last.partition(".")
    return f"{folder}/{stem}", ending.lower()


def _names(head: bytes) -> tuple[list[str], bool]:
    """The names of the regular files whose headers are in `head`, and whether the archive ends there."""
    import tarfile  # here: few scans meet a tar archive

    names: list[str] = []
    offset = 0
    while offset + tarfile.BLOCKSIZE <= len(head):
        block = head[offset : offset + tarfile.BLOCKSIZE]
        try:
            member = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
        except tarfile.HeaderError:
            return names, True
        if member.isreg():
            names.append(member.name)
        offset += tarfile.BLOCKSIZE + -(-max(0, member.size) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return names, False
