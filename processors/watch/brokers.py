"""Measures the brokers: their number, and partitions with too few replicas in sync."""

from collections.abc import Iterator
from typing import Final

from confluent_kafka import TopicCollection
from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]

from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, Broker, translated_errors
from processors.watch import metrics
from processors.watch.metrics import Sample

FAMILIES: Final = frozenset({metrics.BROKERS, metrics.UNDER_MIN_ISR})


def measure(broker: Broker, prefix: str) -> Iterator[Sample]:
    """Yield the cluster's samples; raises Restart if the cluster does not answer."""
    admin = broker.admin()
    cluster = broker.cluster(admin)
    names = [name for name in cluster.topics if name.startswith(prefix)]
    if not names:
        return
    with translated_errors("the cluster could not be described"):
        described = admin.describe_topics(TopicCollection(names), request_timeout=REQUEST_TIMEOUT)
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        least = {
            resource.name: int(future.result(CALL_DEADLINE)["min.insync.replicas"].value)
            for resource, future in admin.describe_configs(asked, request_timeout=REQUEST_TIMEOUT).items()
        }
        topics = [future.result(CALL_DEADLINE) for future in described.values()]
    yield metrics.BROKERS, (), len(cluster.brokers)
    yield metrics.UNDER_MIN_ISR, (), sum(len(each.isr) < least[topic.name] for topic in topics for each in topic.partitions)
