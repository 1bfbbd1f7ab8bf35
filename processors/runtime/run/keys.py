"""
Checks that the key file is the one that the pipeline's data was sealed with.

The first stage that ever starts writes the id of the digest key, the last line of the file, to a topic. A file with another
last key stops every stage: it could neither decrypt nor compare the existing data.
"""

from collections.abc import Callable
from typing import Final

from confluent_kafka import Producer

from processors.domain.seal import DigestKey, Seal
from processors.runtime.clock import wall_time
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, Broker, call_with_deadline, translated_errors
from processors.runtime.key_file import check_same_key
from processors.runtime.run.catchup import read_latest
from processors.runtime.wire.codec import Codec
from processors.topics import KEY_IDS

WRITE_PROBLEM: Final = "the id of the key could not be written"


def check_digest_key(  # noqa: PLR0913, PLR0917  where it is written, and what to do meanwhile
    broker: Broker, codec: Codec, prefix: str, seal: Seal, producer: Producer, keep_alive: Callable[[], None]
) -> None:
    """Raise Stop unless the file's last key is the one that all digests were made with; the first stage ever started records its id."""
    name = prefix + KEY_IDS.name
    found = read_latest(broker, codec, name, [0], keep_alive)[0]
    if not found:
        write_key_id(producer, codec, name, seal)
        found = read_latest(broker, codec, name, [0], keep_alive)[0]
    if not found:
        raise Restart(WRITE_PROBLEM)
    check_same_key(next(iter(found)), seal)


def write_key_id(producer: Producer, codec: Codec, topic: str, seal: Seal) -> None:
    """Record the id of the digest key; if several stages do so at once, the first in the log counts."""
    record = codec.encode(DigestKey(key_id=seal.digest_key_id, since=wall_time()))
    with translated_errors(WRITE_PROBLEM):
        producer.begin_transaction()
        producer.produce(topic, record, seal.digest_key_id, 0)
        call_with_deadline(CALL_DEADLINE, producer.commit_transaction, REQUEST_TIMEOUT)
