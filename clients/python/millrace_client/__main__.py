"""python -m millrace_client score --from BUS --input ROWS --output SCORES: as `millrace score`, without Node."""

import argparse
import json
import sys
from pathlib import Path

from .errors import MillraceClientError
from .follow import follow_file_log
from .signature import TrustedKeys


def main() -> int:
    parser = argparse.ArgumentParser(prog="millrace_client", description=__doc__)
    parser.add_argument("action", choices=["score"])
    parser.add_argument("--from", dest="bus", required=True, help="folder of the file log")
    parser.add_argument("--input", required=True, help="rows as NDJSON")
    parser.add_argument("--output", required=True, help="the same rows with scores")
    parser.add_argument("--topic", default="model")
    parser.add_argument("--model", default=None, help="which model, when the topic has several")
    parser.add_argument("--public-key", default=None, help="PEM file: take only what one of its keys signed")
    parser.add_argument("--time-field", default="event_time")
    given = parser.parse_args()
    trusted = None if given.public_key is None else TrustedKeys(Path(given.public_key).read_text())
    follower = follow_file_log(given.bus, given.topic, given.model, trusted)
    model = follower.model
    if model is None:
        raise MillraceClientError(f"no whole model on topic {given.topic}; refused: {dict(follower.refusals)}")
    rows = [json.loads(line) for line in Path(given.input).read_text().splitlines() if line.strip()]
    scores = model.score(rows, given.time_field).tolist() if rows else []
    with Path(given.output).open("w") as output:
        for row, values in zip(rows, scores):
            output.write(json.dumps({**row, "scores": dict(zip(model.tasks, values))}) + "\n")
    print(f"scored {len(rows)} rows with version {model.sequence} of {model.header['model_id']} ({follower.sha256})")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MillraceClientError as error:
        sys.exit(f"millrace_client: {error}")
