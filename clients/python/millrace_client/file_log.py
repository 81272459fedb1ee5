"""Reads a topic of Millrace's embedded log: segments of frames, partition 0. What a frame holds is checked by its sha256 later on."""

import struct
from collections.abc import Iterator
from pathlib import Path

_HEADER = struct.Struct("<4sIIIddII")
_RECORD = struct.Struct("<IIId")


def read_file_log(folder: str | Path, topic: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """(offset, value) of every record from `offset` to the end of the topic as it is now."""
    for segment in sorted((Path(folder) / topic / "0").glob("*.segment")):
        data = segment.read_bytes()
        at = 0
        while at + _HEADER.size <= len(data):
            magic, size, count, span, base, _, _, _ = _HEADER.unpack_from(data, at)
            end = at + _HEADER.size + size
            if magic != b"MLR1" or data[end : end + 4] != b"END1":
                break  # the end: nothing, or an append that is not complete
            if base + span > offset:
                yield from _records(data, at + _HEADER.size, count, int(base), offset)
            at = end + 4


def _records(data: bytes, at: int, count: int, base: int, offset: int) -> Iterator[tuple[int, bytes]]:
    for _ in range(count):
        delta, key, value, _ = _RECORD.unpack_from(data, at)
        start = at + _RECORD.size + key
        if base + delta >= offset:
            yield base + delta, data[start : start + value]
        at = start + value
