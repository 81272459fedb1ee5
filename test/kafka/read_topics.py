"""Reads topics of Millrace with librdkafka and fastavro, knowing only schemas/*.avsc and docs/model-topic.md.

usage: read_topics.py BROKERS SCHEMA_FOLDER TOPIC=SCHEMA...   prints one JSON object: what is on each topic.
"""

import hashlib
import io
import json
import sys
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from fastavro import parse_schema, schemaless_reader
from fastavro.schema import fingerprint, to_parsing_canonical_form


class SingleObject:
    """Avro's single-object encoding: two marker bytes, the schema's CRC-64-AVRO, then the value."""

    def __init__(self, path):
        self.schema = parse_schema(json.loads(path.read_text()))
        digest = fingerprint(to_parsing_canonical_form(self.schema), "CRC-64-AVRO")
        self.head = b"\xc3\x01" + bytes.fromhex(digest)

    def decode(self, value):
        """The value, or None when these bytes are no value of the schema."""
        if not value.startswith(self.head):
            return None
        body = io.BytesIO(value[len(self.head) :])
        try:
            decoded = schemaless_reader(body, self.schema)
        except Exception:
            return None
        return decoded if body.read(1) == b"" else None


def records(brokers, topic):
    """Every record of a topic, partition by partition."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "independent", "enable.auto.commit": False})
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    for partition in sorted(partitions):
        at = TopicPartition(topic, partition)
        _, end = consumer.get_watermark_offsets(at, timeout=10)
        consumer.assign([TopicPartition(topic, partition, 0)])
        while consumer.position([at])[0].offset < end:
            message = consumer.poll(10)
            if message is None:
                raise SystemExit(f"{topic}/{partition} gave nothing before offset {end}")
            if message.error():
                raise SystemExit(str(message.error()))
            yield message
            if message.offset() + 1 >= end:
                break
    consumer.close()


def summary(brokers, topic, codec):
    found = {"records": 0, "undecodable": 0, "partitions": {}, "first": None}
    for message in records(brokers, topic):
        found["records"] += 1
        partition = str(message.partition())
        found["partitions"][partition] = found["partitions"].get(partition, 0) + 1
        value = codec.decode(message.value())
        if value is None:
            found["undecodable"] += 1
        elif found["first"] is None:
            found["first"] = {name: str(field) for name, field in value.items()}
    return found


def versions(brokers, topic, codec):
    """The chain of model versions, checked as docs/model-topic.md says."""
    chain, body, parent = [], b"", ""
    for message in records(brokers, topic):
        chunk = codec.decode(message.value())
        if chunk is None:
            raise SystemExit(f"offset {message.offset()} of {topic} is no chunk")
        body = chunk["body"] if chunk["chunk"] == 0 else body + chunk["body"]
        if chunk["chunk"] + 1 < chunk["chunks"]:
            continue
        if hashlib.sha256(body).hexdigest() != chunk["sha256"]:
            raise SystemExit(f"version {chunk['sequence']} does not have its sha256")
        if chunk["parent_sha256"] != parent:
            raise SystemExit(f"version {chunk['sequence']} does not continue the chain")
        parent = chunk["sha256"]
        size = int.from_bytes(body[:4], "little")
        header = json.loads(body[4 : 4 + size])
        chain.append({"sequence": chunk["sequence"], "sha256": parent, "samples": header["samples"]})
    return chain


def main():
    brokers, schemas, *topics = sys.argv[1:]
    report = {}
    for pair in topics:
        topic, schema = pair.split("=")
        codec = SingleObject(Path(schemas) / f"{schema}.avsc")
        read = versions if schema == "model-update" else summary
        report[topic] = read(brokers, topic, codec)
    print(json.dumps(report))


main()
