"""Consumer groups as the broker describes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from processors.runtime.kafka.clients import CALL_DEADLINE, LOADING, Broker

LOADING_SECONDS: Final = 20.0  # time for a coordinator to load after the broker has started
REQUEST_SECONDS: Final = 3.0  # the first request to a new broker is not answered, but makes it load its coordinator
NOT_YET: Final = LOADING | {KafkaError._TIMED_OUT}  # noqa: SLF001  the library's own public name


@dataclass(frozen=True, slots=True)
class GroupDescription:
    """One group: the hosts of its members, and the operations that this user may do on it (None if the broker does not say)."""

    hosts: tuple[str, ...] = ()
    granted: frozenset[Any] | None = None


def describe_groups(broker: Broker, names: Iterable[str]) -> dict[str, GroupDescription]:
    """
    Return a description of each group.

    A group that never had a member has no hosts. For one that this user may not see, `granted` is empty.
    """
    admin, asked, found = broker.admin(), list(names), dict[str, GroupDescription]()
    deadline, pause = monotonic() + LOADING_SECONDS, Event()
    while asked:
        described = admin.describe_consumer_groups(asked, include_authorized_operations=True, request_timeout=REQUEST_SECONDS)
        for name, future in described.items():
            try:
                answer = future.result(CALL_DEADLINE)
            except KafkaException as error:
                code = error.args[0].code()
                if code == KafkaError.GROUP_ID_NOT_FOUND:
                    found[name] = GroupDescription()
                elif code == KafkaError.GROUP_AUTHORIZATION_FAILED:
                    found[name] = GroupDescription(granted=frozenset())
                elif code not in NOT_YET or monotonic() > deadline:
                    raise
                continue
            granted = None if answer.authorized_operations is None else frozenset(answer.authorized_operations)
            found[name] = GroupDescription(tuple(each.host.strip("/") for each in answer.members), granted)
        asked = [name for name in asked if name not in found]
        if asked:
            pause.wait(0.1)
    return found
