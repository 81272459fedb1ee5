"""Topics that Millrace wrote: every kind of model, signatures, decisions, damage; scores against the trainer's."""

import json
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from millrace_client import Follower, TrustedKeys, follow_file_log, follow_records, read_file_log
from millrace_client.codec import ChunkCodec, RecordCodec, _inflated

FOLDER = Path(os.environ["MILLRACE_VECTORS"])
TOPICS = json.loads((FOLDER / "topics.json").read_text())
MODELS = [topic for topic in TOPICS if topic["scores"]]


def trusted(topic: dict) -> TrustedKeys | None:
    return TrustedKeys(topic["public_key"]) if topic.get("public_key") else None


@pytest.mark.parametrize("topic", MODELS, ids=lambda topic: topic["topic"])
def test_scores_are_the_trainers(topic: dict) -> None:
    follower = follow_file_log(FOLDER / "bus", topic["topic"], trusted=trusted(topic))
    assert follower.model is not None, follower.refusals
    assert (follower.model.sequence, follower.sha256) == (topic["sequence"], topic["sha256"])
    scores = follower.model.score(topic.get("rows", TOPICS[0]["rows"]), "time")
    expected = np.array(topic["scores"]).reshape(len(follower.model.tasks), -1).T
    assert np.abs(scores - expected).max() < 1e-5


def test_logged_samples_have_histories_of_both_kinds() -> None:
    topic = next(topic for topic in TOPICS if topic["topic"] == "logged")
    follower = follow_file_log(FOLDER / "bus", "logged")
    assert follower.model is not None and len(topic["rows"]) == 200
    times = [row["time"] for row in topic["rows"]]
    slots = follower.model.encode(topic["rows"], times).slots
    pooled = {slot.pooling: len(slot.hi) for slot in slots if slot.is_history}
    assert set(pooled) == {"history-attention", "history-mean"} and min(pooled.values()) > 100


def test_an_erased_user_loses_its_rows() -> None:
    topic = next(topic for topic in TOPICS if topic["topic"] == "omoe")
    follower = follow_file_log(FOLDER / "bus", "omoe")
    before = Follower()
    records = [RecordCodec("model-update").decode(value) or {} for value in values("omoe")]
    for record in records:
        if record["sequence"] < topic["sequence"]:
            before.follow(record)
    assert follower.model is not None and before.model is not None
    assert follower.model.rows == topic["rows_held"]
    lost = set(before.model.rows_frame().index) - set(follower.model.rows_frame().index)
    assert len(lost) > 1, "the user and its pairs"


def values(name: str) -> list[bytes]:
    return [value for _, value in read_file_log(FOLDER / "bus", name)]


def test_reading_goes_on_from_any_offset() -> None:
    everything = list(read_file_log(FOLDER / "bus", "mmoe"))
    assert [offset for offset, _ in everything] == list(range(len(everything)))
    for offset in (1, 2, len(everything) - 1, len(everything)):
        assert list(read_file_log(FOLDER / "bus", "mmoe", offset)) == everything[offset:]


def test_an_unsigned_topic_gives_nothing_to_who_trusts_a_key() -> None:
    key = next(topic["public_key"] for topic in TOPICS if topic.get("public_key"))
    follower = follow_file_log(FOLDER / "bus", "mmoe", trusted=TrustedKeys(key))
    assert follower.model is None
    assert set(follower.refusals) == {"unsigned"}


def test_another_key_than_the_trainers_gives_nothing() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    stranger = Ed25519PrivateKey.generate().public_key()
    pem = stranger.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    follower = follow_file_log(FOLDER / "bus", "signed", trusted=TrustedKeys(pem))
    assert follower.model is None and set(follower.refusals) == {"signature"}


def test_damage_and_gaps_are_refused_and_the_last_good_version_stays() -> None:
    records = values("mmoe")
    codec = RecordCodec("model-update")
    numbers = [(codec.decode(record) or {})["sequence"] for record in records]
    first = [record for record, n in zip(records, numbers) if n == 1]
    second = [record for record, n in zip(records, numbers) if n == 2]
    third = [record for record, n in zip(records, numbers) if n == 3]
    follower = Follower()
    follow_records(follower, first)
    assert follower.model is not None
    rows = TOPICS[0]["rows"]
    good = follower.model.score(rows, "time")
    damaged = bytearray(second[0])
    damaged[len(damaged) // 2] ^= 16
    follow_records(follower, [bytes(damaged), *second[1:]])
    assert sum(follower.refusals.values()) > 0
    assert follow_records(follower, third)[-1].reason == "gap"
    follow_records(follower, [b"", b"no avro", second[0][:40]])
    assert follower.refusals["malformed"] == 3
    np.testing.assert_array_equal(follower.model.score(rows, "time"), good)
    assert [f.kind for f in follow_records(follower, second + third) if f.kind != "waiting"] == ["applied"] * 2


def test_mutations_are_never_taken_and_never_crash() -> None:
    random = np.random.default_rng(5)
    signed = next(topic for topic in TOPICS if topic.get("public_key"))
    records = values("signed")
    genuine = set(signed["versions"])
    follower = Follower(trusted=trusted(signed))
    for _ in range(1_000):
        record = bytearray(records[random.integers(len(records))])
        at = int(random.integers(len(record)))
        choice = random.integers(3)
        if choice == 0:
            record[at] ^= 1 << int(random.integers(8))
        elif choice == 1:
            del record[at:]
        else:
            record[at:at] = bytes([int(random.integers(256))])
        follow_records(follower, [bytes(record)])
        assert follower.sha256 in genuine | {""}


@pytest.mark.parametrize("size", [-1, 0, 999, 1001, 2**20, 64 * 2**20])
def test_a_compressed_chunk_unpacks_to_what_it_says_or_not_at_all(size: int) -> None:
    codec = ChunkCodec()
    assert _inflated(zlib.compress(bytes(1000)), 1000) == bytes(1000)
    assert _inflated(zlib.compress(bytes(1000)), size) is None
    assert _inflated(zlib.compress(bytes(64 * 2**20)), size) is None
    assert _inflated(b"no zlib", size) is None
    assert all(codec.decode(value) is not None for value in values("bytes"))
    assert any(RecordCodec("model-update").decode(value) is None for value in values("bytes"))


def test_decisions_of_operators_are_obeyed() -> None:
    pinned = next(topic for topic in TOPICS if topic["topic"] == "pinned")
    follower = follow_file_log(FOLDER / "bus", "pinned")
    assert follower.model is not None
    assert follower.model.sequence == pinned["sequence"] == 2


def test_a_model_goes_to_pandas() -> None:
    model = follow_file_log(FOLDER / "bus", "mmoe").model
    assert model is not None
    rows = model.rows_frame()
    assert len(rows) == model.rows and rows.index.is_unique
    assert set(model.metrics_frame().index) == set(model.tasks)
    assert (model.weights_frame()["size"] > 0).all()


def test_an_update_without_a_graph_says_so() -> None:
    records = (FOLDER / "format-1.txt").read_text().split()
    import base64

    follower = Follower()
    followed = follow_records(follower, [base64.b64decode(record) for record in records])
    assert follower.model is None
    assert any("has no graph" in one.detail for one in followed)
