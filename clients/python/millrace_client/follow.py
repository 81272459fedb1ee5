"""From records to a model: the embedded log, or any other source of records."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .codec import ChunkCodec, RecordCodec
from .file_log import read_file_log
from .follower import Followed, Follower
from .signature import TrustedKeys, control_message


def follow_records(follower: Follower, values: Iterable[bytes]) -> list[Followed]:
    """Feeds the values of records, in order; what is no chunk is left out and counted as malformed."""
    codec = ChunkCodec()
    followed = []
    for value in values:
        chunk = codec.decode(value)
        if chunk is None:
            follower.refusals["malformed"] += 1
        else:
            followed.append(follower.follow(chunk))
    return followed


def newest_decision(
    values: Iterable[bytes], model_id: str, trusted: TrustedKeys | None = None
) -> dict[str, Any] | None:
    """The newest pin or withdrawal about a model, of the values of the control topic."""
    codec, newest = RecordCodec("model-control"), None
    for value in values:
        control = codec.decode(value)
        if control is None or control["model_id"] != model_id:
            continue
        if trusted is not None and not trusted.verify(control_message(control), control["signature"]):
            continue
        if newest is None or control["revision"] > newest["revision"]:
            newest = control
    return newest


def follow_file_log(
    folder: str | Path, topic: str = "model", model_id: str | None = None, trusted: TrustedKeys | None = None
) -> Follower:
    """A follower at the end of the topic as it is now, obeying what operators decided."""
    codec = ChunkCodec()
    values = [value for _, value in read_file_log(folder, topic)]
    ids = (chunk["model_id"] for chunk in map(codec.decode, values) if chunk is not None)
    model_id = model_id or next(ids, None)
    decisions = (value for _, value in read_file_log(folder, f"{topic}.control"))
    control = None if model_id is None else newest_decision(decisions, model_id, trusted)
    follower = Follower(model_id, trusted, control)
    follow_records(follower, values)
    return follower
