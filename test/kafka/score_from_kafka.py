"""Follows a model topic on Kafka with the Python client and scores rows.

usage: score_from_kafka.py BROKERS TOPIC ROWS   ROWS: a JSON list; prints one JSON object.
"""

import json
import sys

from millrace_client import Follower, follow_records
from millrace_client.kafka import read_kafka


def main():
    brokers, topic, rows = sys.argv[1:]
    follower = Follower()
    follow_records(follower, read_kafka({"bootstrap.servers": brokers}, topic))
    if follower.model is None:
        raise SystemExit(f"no model: {dict(follower.refusals)}")
    scores = follower.model.score(json.loads(rows))
    print(json.dumps({"sha256": follower.sha256, "sequence": follower.model.sequence, "scores": scores.tolist()}))


main()
