"""Keys of feature values and initial vectors of ids without a row (docs/model-topic.md, "Keys" and "Rows")."""

import struct

import numpy as np
import numpy.typing as npt

_MASK = 0xFFFFFFFF


def _rotl(x: int, r: int) -> int:
    return ((x << r) | (x >> (32 - r))) & _MASK


def _fmix(h: int) -> int:
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & _MASK
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & _MASK
    return h ^ (h >> 16)


_C = (0x239B961B, 0xAB0E9789, 0x38B34AE5, 0xA1E38B93)
_TURNS = (15, 16, 17, 18)
_STEPS = ((19, 0x561CCD1B), (17, 0x0BCAA747), (15, 0x96CD1C35), (13, 0x32AC3B17))


def _scramble(k: int, lane: int) -> int:
    return (_rotl((k * _C[lane]) & _MASK, _TURNS[lane]) * _C[(lane + 1) % 4]) & _MASK


def murmur(data: bytes, seed: int) -> tuple[int, int]:
    """Words h1 and h2 of MurmurHash3 x86 128-bit (Appleby, public domain)."""
    h = [seed & _MASK] * 4
    body = len(data) & ~15
    for at in range(0, body, 16):
        words = struct.unpack_from("<4I", data, at)
        for lane in range(4):
            turn, add = _STEPS[lane]
            mixed = _rotl(h[lane] ^ _scramble(words[lane], lane), turn) + h[(lane + 1) % 4]
            h[lane] = (mixed * 5 + add) & _MASK
    tail = data[body:].ljust(16, b"\0")
    for lane, word in enumerate(struct.unpack("<4I", tail)):
        h[lane] ^= _scramble(word, lane) ^ len(data)
    h[0] = sum(h) & _MASK
    for lane in (1, 2, 3):
        h[lane] = (h[lane] + h[0]) & _MASK
    f = [_fmix(word) for word in h]
    total = sum(f) & _MASK
    return total, (f[1] + total) & _MASK


def _mix32(h: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def _mix_one(word: int) -> int:
    return int(_mix32(np.array([word & _MASK], np.uint32))[0])


def initial_vectors(
    hi: npt.NDArray[np.uint32], lo: npt.NDArray[np.uint32], seed: int, deviation: float, width: int
) -> npt.NDArray[np.float32]:
    """[N, width] of the group "embedding": a function of the key alone."""
    s = _mix_one(seed)
    for letter in b"embedding":
        s = _mix_one(s ^ letter)
    word = _mix32(hi ^ _mix32(lo ^ np.uint32(s)))
    steps = (np.arange(1, width + 1, dtype=np.uint64) * 0x9E3779B9).astype(np.uint32)
    uniform = _mix32(word[:, None] + steps[None, :]).astype(np.float64) / 2.0**32
    return np.asarray((2 * uniform - 1) * deviation * np.sqrt(3), np.float32)
