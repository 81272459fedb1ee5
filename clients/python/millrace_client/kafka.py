"""The model topic on Kafka; needs the extra `kafka` (librdkafka)."""

from collections.abc import Iterator
from typing import Any

from .errors import MillraceClientError


def read_kafka(settings: dict[str, Any], topic: str, offset: int = 0, timeout: float = 10.0) -> Iterator[bytes]:
    """Values of the topic's one partition, from `offset` to its end as it is now. `settings` as librdkafka has them."""
    try:
        from confluent_kafka import Consumer, TopicPartition
    except ImportError as error:
        raise MillraceClientError("Kafka needs: pip install 'millrace-client[kafka]'") from error
    consumer = Consumer({"group.id": "millrace-client", "enable.auto.commit": False, **settings})
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=timeout)
        consumer.assign([TopicPartition(topic, 0, max(offset, low))])
        at = max(offset, low)
        while at < high:
            message = consumer.poll(timeout)
            if message is None:
                raise MillraceClientError(f"{topic} gave nothing at offset {at} of {high} within {timeout} s")
            if message.error():
                raise MillraceClientError(f"{topic}: {message.error()}")
            at = message.offset() + 1
            yield message.value()
    finally:
        consumer.close()
