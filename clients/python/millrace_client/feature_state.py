"""Features that the trainer learns from the stream: rates, times since last seen, histories (docs/model-topic.md, "Dense inputs")."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import NotSound
from .hashing import murmur
from .update import StateRows

Key = tuple[int, int]
Values = npt.NDArray[np.float32]
_TIME_COLUMNS = 2
_HOUR_MS = 3_600_000.0
_MINUTE_MS = 60_000.0


def _time(row: Values) -> float:
    return float(row[0]) * 2.0**20 + float(row[1])


class StateTable:
    """Rows of one feature with a state."""

    def __init__(self, feature: Mapping[str, Any]) -> None:
        self.feature = feature
        self.seed = murmur(feature["name"].encode(), 0)[0]
        self._rows: dict[Key, Values] = {}
        self._stream = murmur(b"", self.seed)

    @property
    def columns(self) -> int:
        """Dense inputs that the feature fills."""
        if self.feature["kind"] == "history":
            return 0
        if self.feature["kind"] == "last_seen":
            return 1
        return len(self.feature["half_life_hours"]) * (len(self.feature["tasks"]) + bool(self.feature["counts"]))

    @property
    def width(self) -> int:
        """Values of a row."""
        if self.feature["kind"] == "history":
            return 2 * int(self.feature["last"])
        if self.feature["kind"] == "last_seen":
            return _TIME_COLUMNS
        return _TIME_COLUMNS + 2 * len(self.feature["half_life_hours"]) * len(self.feature["tasks"])

    def changed(self, given: StateRows, afresh: bool) -> dict[Key, Values]:
        """The rows after an update; the table itself stays as it is until `take`."""
        if given.values.shape[1] != self.width:
            raise NotSound(f"state of {self.feature['name']}: rows of {given.values.shape[1]} values, not {self.width}")
        rows = {} if afresh else dict(self._rows)
        for key in map(tuple, given.removed.tolist()):
            rows.pop(key, None)
        rows.update(zip(map(tuple, given.keys.tolist()), given.values))
        return rows

    def take(self, rows: dict[Key, Values]) -> None:
        self._rows = rows

    def read(self, keys: list[Key], time: float) -> list[float]:
        """The columns of one row's keys at a time."""
        if self.feature["kind"] == "last_seen":
            return [self._last_seen(keys, time)]
        out = [0.0] * self.columns
        for key in keys:
            row = self._rows.get(key)
            if row is not None:
                for c, value in enumerate(self._rates(row, time)):
                    out[c] += value / len(keys)
        return out

    def history(self, key: Key) -> list[Key]:
        """Keys of the past items, newest first: 32-bit words in place of floats, ended by two zeros."""
        row = self._rows.get(key)
        if row is None:
            return []
        pairs: list[Key] = [(int(hi), int(lo)) for hi, lo in row.view(np.uint32).reshape(-1, 2)]
        return pairs[: pairs.index((0, 0))] if (0, 0) in pairs else pairs

    def _last_seen(self, keys: list[Key], time: float) -> float:
        scale = self.feature["scale_minutes"] * _MINUTE_MS
        seen = [time - _time(row) for row in map(self._rows.get, keys) if row is not None]
        return max((1 / (1 + math.log1p(max(0.0, elapsed) / scale)) for elapsed in seen), default=0.0)

    def _rates(self, row: Values, time: float) -> list[float]:
        stream = self._rows.get(self._stream)
        elapsed = max(0.0, time - _time(row))
        smoothing, tasks = self.feature["smoothing"], len(self.feature["tasks"])
        out = []
        for h, hours in enumerate(self.feature["half_life_hours"]):
            kept = 2.0 ** (-elapsed / (hours * _HOUR_MS))
            first = _TIME_COLUMNS + 2 * h * tasks
            for at in range(first, first + 2 * tasks, 2):
                positives, labels = (0.0, 0.0) if stream is None else (float(stream[at]), float(stream[at + 1]))
                base = (positives + 0.5) / (labels + 1)
                p = float(row[at]) * kept
                n = float(row[at + 1]) * kept - p
                odds = (p + smoothing * base) / (n + smoothing - smoothing * base)
                out.append(math.log(odds) - math.log(base / (1 - base)))
            if self.feature["counts"]:
                out.append(math.log1p(float(row[first + 1]) * kept))
        return out
