"""Consumer groups as the broker describes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from processors.runtime.kafka.clients import CALL_DEADLINE, LOADING, Broker

LOADING_SECONDS: Final = 20.0  # for a coordinator that has just started
ASK_SECONDS: Final = 3.0  # the first to ask a new broker is not answered, and has its coordinator made
NOT_YET: Final = LOADING | {KafkaError._TIMED_OUT}  # noqa: SLF001  the library's own public name


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its members' hosts, and what this user may do with it; None if the broker does not say."""

    hosts: tuple[str, ...] = ()
    granted: frozenset[Any] | None = None


def describe_groups(broker: Broker, names: Iterable[str]) -> dict[str, Group]:
    """
    Return each group; one that nobody was ever a member of has no hosts.

    One that this user may not see is granted nothing.
    """
    admin, asked, found = broker.admin(), list(names), dict[str, Group]()
    deadline, pause = monotonic() + LOADING_SECONDS, Event()
    while asked:
        described = admin.describe_consumer_groups(asked, include_authorized_operations=True, request_timeout=ASK_SECONDS)
        for name, future in described.items():
            try:
                answer = future.result(CALL_DEADLINE)
            except KafkaException as error:
                code = error.args[0].code()
                if code == KafkaError.GROUP_ID_NOT_FOUND:
                    found[name] = Group()
                elif code == KafkaError.GROUP_AUTHORIZATION_FAILED:
                    found[name] = Group(granted=frozenset())
                elif code not in NOT_YET or monotonic() > deadline:
                    raise
                continue
            granted = None if answer.authorized_operations is None else frozenset(answer.authorized_operations)
            found[name] = Group(tuple(each.host.strip("/") for each in answer.members), granted)
        asked = [name for name in asked if name not in found]
        if asked:
            pause.wait(0.1)
    return found
