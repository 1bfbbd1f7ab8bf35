"""
Checks that the file of keys is the one with which the pipeline's data was sealed.

The id of the key that makes digests, the last line of the file, is written to a topic by the first stage that ever starts.
A file that ends with another key stops every stage: nothing it opened or compared would fit what is there.
"""

from collections.abc import Callable
from typing import Final

from confluent_kafka import Producer

from processors.domain.seal import DigestKey, Seal
from processors.runtime.clock import wall
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, Broker, call_with_deadline, translated_errors
from processors.runtime.key_file import check_same_key
from processors.runtime.run.catchup import read_latest
from processors.runtime.wire.codec import Codec
from processors.topics import KEY_IDS

PROBLEM: Final = "the id of the key could not be written"


def check_key(  # noqa: PLR0913, PLR0917  where it is written, and what to do meanwhile
    broker: Broker, codec: Codec, prefix: str, seal: Seal, producer: Producer, keep_alive: Callable[[], None]
) -> None:
    """Raise Stop unless the file's last key is the one that all digests were made with; the first stage of all writes down its id."""
    name = prefix + KEY_IDS.name
    found = read_latest(broker, codec, name, [0], keep_alive)[0]
    if not found:
        write_key(producer, codec, name, seal)
        found = read_latest(broker, codec, name, [0], keep_alive)[0]
    if not found:
        raise Restart(PROBLEM)
    check_same_key(next(iter(found)), seal)


def write_key(producer: Producer, codec: Codec, topic: str, seal: Seal) -> None:
    """Write down the id of the key that makes digests; of several that start at once, the first in the log counts."""
    record = codec.encode(DigestKey(key_id=seal.digest_key_id, since=wall()))
    with translated_errors(PROBLEM):
        producer.begin_transaction()
        producer.produce(topic, record, seal.digest_key_id, 0)
        call_with_deadline(CALL_DEADLINE, producer.commit_transaction, REQUEST_TIMEOUT)
