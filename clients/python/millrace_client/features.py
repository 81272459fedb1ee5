"""Fields to keys and dense inputs, exactly as the trainer encodes them (docs/model-topic.md, "From fields to scores")."""

import bisect
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import Foreign
from .feature_state import StateTable
from .hashing import murmur
from .update import Encoded, Slot

Row = Mapping[str, Any]
_HOUR_MS = 3_600_000
_LARGEST = 1e100
_STATE = {"rate", "last_seen", "history"}
_NO_SLOT = {"number", "rate", "last_seen"}
_KINDS = {"id", "ids", "number", "bucket", "hour", "weekday", "cross"} | _STATE


def number_text(value: float) -> str:
    """A number as ECMAScript prints it: what its key is the hash of."""
    sign, digits, power = Decimal(repr(float(value))).normalize().as_tuple()
    shown, minus = "".join(map(str, digits)), "-" if sign and any(digits) else ""
    count, point = len(shown), len(shown) + int(power)  # the decimal point stands behind `point` digits
    if count <= point <= 21:
        return minus + shown + "0" * (point - count)
    if 0 < point <= 21:
        return f"{minus}{shown[:point]}.{shown[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{shown}"
    mantissa = shown[0] + ("." + shown[1:] if count > 1 else "")
    return f"{minus}{mantissa}e{'+' if point > 1 else '-'}{abs(point - 1)}"


def _text(value: Any) -> str | None:
    """What is hashed; None for a missing or ill-typed value."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, np.integer, np.floating)):
        return number_text(float(value)) if math.isfinite(value) else None
    return None


def _number(value: Any) -> float | None:
    if not isinstance(value, (bool, int, float, np.integer, np.floating)):
        return None
    number = float(value)
    return number if abs(number) <= _LARGEST else None


def _absent(value: Any) -> bool:
    return value is None or value == ""


def written_time(value: Any) -> float:
    """Unix ms of a time as people write it: a number, or ISO 8601 with a zone."""
    if not isinstance(value, str):
        return float(value)
    time = datetime.fromisoformat(value.replace("Z", "+00:00"))
    if time.tzinfo is None:
        raise ValueError(f"{value} has no zone")
    return time.timestamp() * 1000


class FeatureEncoder:
    """Encodes rows by the feature spec of an update's header. Foreign for a kind of feature that this client does not have."""

    def __init__(self, features: Sequence[Mapping[str, Any]]) -> None:
        unknown = sorted({str(f["kind"]) for f in features} - _KINDS)
        if unknown:
            raise Foreign(f"this client does not encode features of kind {', '.join(unknown)}")
        self._slots = [f for f in features if f["kind"] not in _NO_SLOT]
        self._numbers = [f for f in features if f["kind"] == "number"]
        self.state = {f["name"]: StateTable(f) for f in features if f["kind"] in _STATE}
        self._seeds = {f["name"]: murmur(f["name"].encode(), 0)[0] for f in self._slots}

    def encode(self, rows: Sequence[Row], times: Sequence[float], statistics: npt.NDArray[np.float64]) -> Encoded:
        """`times`: event time of every row, Unix ms. `statistics`: of the update."""
        above: dict[str, list[list[tuple[int, int]]]] = {}
        slots = []
        for feature in self._slots:
            keys = [self._keys(feature, row, time, above, r) for r, (row, time) in enumerate(zip(rows, times))]
            above[feature["name"]] = keys
            slots.append(_slot(self._pooling(feature), keys, self._query(feature)))
        dense = np.zeros((len(rows), len(self._numbers)), np.float32)
        for c, feature in enumerate(self._numbers):
            for r, row in enumerate(rows):
                dense[r, c] = _dense(feature, row, statistics[3 * c : 3 * c + 3])
        columns = [dense, *(self._state_columns(table, times, above) for table in self.state.values() if table.columns)]
        return Encoded(len(rows), slots, np.concatenate(columns, axis=1))

    def _state_columns(
        self, table: StateTable, times: Sequence[float], above: Mapping[str, list[list[tuple[int, int]]]]
    ) -> npt.NDArray[np.float32]:
        members = [above[name] for name in table.feature["of"]]
        columns = np.zeros((len(times), table.columns), np.float32)
        for r, time in enumerate(times):
            keys = _cross([member[r] for member in members], table.seed, table.feature["limit"])
            columns[r] = table.read(keys, time)
        return columns

    def _pooling(self, feature: Mapping[str, Any]) -> str:
        if feature["kind"] == "history":
            return f"history-{feature['pooling']}"
        if feature["kind"] == "ids":
            return str(feature["pooling"])
        if feature["kind"] != "cross":
            return "single"
        members = [f for f in self._slots if f["name"] in feature["of"]]
        return "mean" if any(self._pooling(f) != "single" for f in members) else "single"

    def _query(self, feature: Mapping[str, Any]) -> int:
        """The slot that attention asks with: the item of the row."""
        if self._pooling(feature) != "history-attention":
            return -1
        return [f["name"] for f in self._slots].index(feature["items"])

    def _keys(
        self,
        feature: Mapping[str, Any],
        row: Row,
        time: float,
        above: Mapping[str, list[list[tuple[int, int]]]],
        r: int,
    ) -> list[tuple[int, int]]:
        seed, kind = self._seeds[feature["name"]], feature["kind"]

        def key(value: Any) -> tuple[int, int]:
            return murmur((_text(value) or "").encode(), seed)

        if kind == "id":
            return [key(row.get(feature.get("from") or feature["name"]))]
        if kind == "ids":
            return [key(value) for value in _members(feature, row)] or [key(None)]
        if kind == "bucket":
            number = _number(row.get(feature.get("from") or feature["name"]))
            return [key(None if number is None else _bucket(number, feature))]
        if kind == "history":
            whose = _cross([above[name][r] for name in feature["of"]], seed, 1)
            return self.state[feature["name"]].history(whose[0])
        if kind == "cross":
            return _cross([above[name][r] for name in feature["of"]], seed, feature["limit"])
        hours = math.floor((time + feature["utc_offset_hours"] * _HOUR_MS) / _HOUR_MS)
        return [key(hours % 24 if kind == "hour" else (hours // 24 + 4) % 7)]


def _members(feature: Mapping[str, Any], row: Row) -> list[Any]:
    source = feature.get("from") or feature["name"]
    kept: list[Any] = []
    for name in [source] if isinstance(source, str) else source:
        value = row.get(name)
        parts = [part.strip() for part in value.split(feature["separator"])] if isinstance(value, str) else value
        for part in parts if isinstance(parts, (list, tuple)) else [parts]:
            if len(kept) < feature["limit"] and _text(part) is not None:
                kept.append(part)
    return kept


def _bucket(value: float, feature: Mapping[str, Any]) -> float:
    if feature.get("boundaries") is not None:
        return bisect.bisect_right(feature["boundaries"], value)
    if feature.get("quantum") is not None:
        return math.floor(value / float(feature["quantum"]))
    sign = (value > 0) - (value < 0)
    return sign * math.floor(math.log2(1 + abs(value)) * float(feature["log2"]))


def _cross(members: list[list[tuple[int, int]]], seed: int, limit: int) -> list[tuple[int, int]]:
    keys = []
    for n in range(min(math.prod(len(member) for member in members), limit)):
        chosen, rest = [], n
        for member in reversed(members):
            chosen.append(member[rest % len(member)])
            rest //= len(member)
        halves = b"".join(half.to_bytes(4, "little") for key in reversed(chosen) for half in key)
        keys.append(murmur(halves, seed))
    return keys


def _dense(feature: Mapping[str, Any], row: Row, statistics: npt.NDArray[np.float64]) -> float:
    value = _number(row.get(feature.get("from") or feature["name"]))
    if value is None:
        return 0.0
    if feature["log"]:
        value = math.copysign(math.log1p(abs(value)), value) if value else 0.0
    if feature["standardise"]:
        count, mean, squares = statistics
        value = 0.0 if squares <= 0 else (value - mean) / math.sqrt(squares / count)
    return float(min(feature["clip"], max(-feature["clip"], value)))


def _slot(pooling: str, keys: list[list[tuple[int, int]]], query: int) -> Slot:
    flat = np.array([key for row in keys for key in row], np.uint32).reshape(-1, 2)
    starts = np.concatenate([[0], np.cumsum([len(row) for row in keys])]).astype(np.uint32)
    return Slot(pooling, flat[:, 0], flat[:, 1], starts, query)
