"""Every stage checks at its start that its key file is the pipeline's."""

import pytest

from processors.domain.seal import DigestKey, Seal
from processors.runtime.kafka.broker_clocks import clock_differences
from processors.runtime.kafka.topics_admin import create_topics
from processors.topics import CLOCK_CHECK, KEY_IDS
from tests.broker.harness import ProbeHarness

pytestmark = pytest.mark.broker
OURS = Seal(bytes(64)).digest_key_id  # of the worker


def test_the_first_start_writes_down_the_key_and_the_next_finds_it_there(harness: ProbeHarness) -> None:
    for _ in range(2):
        worker = harness.start()
        worker.wait_for_log('"ready"')
        assert worker.stop() == 0
    assert [record.key for record in harness.client.read(KEY_IDS)] == [OURS]


def test_a_brokers_clock_is_compared_with_ours(harness: ProbeHarness) -> None:
    create_topics(harness.settings, (CLOCK_CHECK,))
    (found,) = clock_differences(harness.settings)
    assert abs(found.ahead) <= found.uncertain + 0.25


def begun_under_another_file(harness: ProbeHarness) -> str:
    """Record that the pipeline's first stage had a file that ends with another key; return the id of that key."""
    other = Seal(bytes(range(64))).digest_key_id
    harness.client.send(KEY_IDS, [(other, harness.codec.encode(DigestKey(key_id=other, since=0)))])
    return other


def test_a_file_of_another_pipeline_stops_the_stage_with_one_sentence_before_it_decides(harness: ProbeHarness) -> None:
    other = begun_under_another_file(harness)
    harness.send(10)
    worker = harness.start()
    assert worker.wait_for_exit() != 0
    assert f"sealed under a file that ends with {other}: use that file" in worker.log
    assert not harness.answers()


def test_without_the_check_the_stage_decides_under_the_other_file(harness: ProbeHarness) -> None:
    """The negative control; what then goes wrong is in tests/deliver/test_keys.py."""
    begun_under_another_file(harness)
    harness.send(10)
    harness.start(without="keys")
    harness.wait_until_settled()
    assert harness.answers()
