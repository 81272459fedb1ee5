"""Vectors of a row's keys to one vector per slot (docs/model-topic.md, "Rows")."""

import numpy as np
import numpy.typing as npt

from .update import Slot

Vectors = npt.NDArray[np.float32]


def pool(slot: Slot, vectors: Vectors, rows: int) -> Vectors:
    """[rows, width]: the sum of each row's keys, or their mean; zeros for a row without keys. `vectors`: one for each key."""
    whose, counts = _rows_of(slot)
    pooled = np.zeros((rows, vectors.shape[1]), np.float32)
    np.add.at(pooled, whose, vectors)
    if slot.pooling in ("mean", "history-mean"):
        pooled /= np.maximum(counts, 1)[:, None].astype(np.float32)
    return pooled


def attend(slot: Slot, vectors: Vectors, queries: Vectors) -> Vectors:
    """[rows, d]: the sum over each row's keys of a_k e_k, a = softmax over q e_k / sqrt(d), q the row's query, one for each row."""
    whose, _ = _rows_of(slot)
    keys, asked = vectors.astype(np.float64), queries.astype(np.float64)
    rows, d = asked.shape
    scores = (asked[whose] * keys).sum(axis=1) / np.sqrt(d)
    largest = np.full(rows, -np.inf)
    np.maximum.at(largest, whose, scores)
    weights = np.exp(scores - largest[whose])
    sums = np.zeros(rows)
    np.add.at(sums, whose, weights)
    pooled = np.zeros((rows, d))
    np.add.at(pooled, whose, (weights / sums[whose])[:, None] * keys)
    return pooled.astype(np.float32)


def _rows_of(slot: Slot) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The row of each key, and how many keys each row has."""
    counts = np.diff(slot.starts.astype(np.int64))
    return np.repeat(np.arange(len(counts)), counts), counts
