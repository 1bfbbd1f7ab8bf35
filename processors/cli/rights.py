"""
The checks of `vn doctor` for what this user may do on the broker.

They distinguish a topic that this user may not see from a missing one, and a refused password from a broker that does not answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from processors.cli.finding import Finding
from processors.pipeline import STAGES
from processors.runtime.errors import Stop
from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, Broker
from processors.runtime.kafka.groups import describe_groups
from processors.runtime.kafka.topics_admin import topic_status
from processors.runtime.settings import Settings
from processors.stage import Stage, upstream
from processors.topics import CLOCK, DEAD_LETTERS, DECISIONS, KEY_IDS, POLICIES, QUARANTINE, Topic

READ, WRITE, DESCRIBE = AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE
HIDDEN: Final = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED})
ANSWER_SECONDS: Final = 0.5  # to wait for an answer before checking for refusals
REFUSED: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001  the library's own public names
        KafkaError._SSL,  # noqa: SLF001
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
    }
)


def refused_user(settings: Settings) -> str | None:
    """Return how to fix it if the broker refuses this user or its certificate; None if it accepts the user or does not answer."""
    refusals: list[KafkaError] = []
    properties: dict[str, Any] = {**settings.kafka_properties(), "error_cb": refusals.append, "log_level": 0}
    admin, deadline = AdminClient(properties), monotonic() + REQUEST_TIMEOUT
    while monotonic() < deadline:
        try:
            admin.list_topics(timeout=ANSWER_SECONDS)
        except KafkaException as error:
            refusals.append(error.args[0])
        else:
            return None
        admin.poll(0)
        if any(each.code() in REFUSED for each in refusals):
            return "fix KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or KAFKA_SSL_* if certificates are used"
    return None


def hidden_topics(settings: Settings, names: Iterable[str]) -> list[str]:
    """Return the topics that this user may not see, whether they exist or not."""
    asked = list(names)
    if not asked:
        return []
    admin = Broker(settings).admin()
    described = admin.describe_topics(TopicCollection(asked), request_timeout=REQUEST_TIMEOUT)
    return [name for name, future in described.items() if (error := future.exception(CALL_DEADLINE)) and error.args[0].code() in HIDDEN]


def rights(settings: Settings) -> Iterator[Finding]:
    """Check that this user may read and write every topic."""
    names = [each.name for each in topic_status(settings) if each.actual]
    if names:
        yield from topic_rights(settings, {name: {READ, WRITE} for name in names})


def stage_rights(settings: Settings, stage: Stage[Any]) -> Iterator[Finding]:
    """Check that this user may use a stage's topics, group and transactions, and see the groups of the stages before it."""
    prefix = settings.topic_prefix
    yield from topic_rights(settings, {prefix + topic.name: needed for topic, needed in needed_rights(stage, settings.clock).items()})
    yield from group_rights(settings, stage)
    try:
        Broker(settings).producer(f"{prefix}{stage.name}.doctor")
    except Stop as error:
        yield Finding("rights", ok=False, found=str(error), fix=acl("Write", "transactional-id", f"{prefix}{stage.name}", "prefixed"))
    else:
        yield Finding("rights", ok=True, found="this user may write in transactions")


def needed_rights(stage: Stage[Any], clock: str) -> dict[Topic, set[Any]]:
    """Return the rights that a stage needs on each topic."""
    needed: dict[Topic, set[Any]] = {}
    for topics, right in (
        ((*stage.inputs, POLICIES, QUARANTINE, KEY_IDS, *((CLOCK,) if clock == "topic" else ())), READ),
        ((*stage.outputs, DECISIONS, DEAD_LETTERS, KEY_IDS), WRITE),
        ([topic for each in upstream(stage, STAGES) for topic in each.inputs], DESCRIBE),
    ):
        for topic in topics:
            needed.setdefault(topic, set()).add(right)
    if stage.changelog is not None:
        needed[stage.changelog] = {READ, WRITE}
    return needed


def topic_rights(settings: Settings, needed: Mapping[str, set[Any]]) -> Iterator[Finding]:
    """Yield a finding for each topic on which rights are missing, or one that none is missing."""
    admin = Broker(settings).admin()
    described = admin.describe_topics(TopicCollection([*needed]), include_authorized_operations=True, request_timeout=REQUEST_TIMEOUT)
    lacking: dict[str, tuple[str, str]] = {}
    for name, future in described.items():
        try:
            granted = set(future.result(CALL_DEADLINE).authorized_operations or needed[name])
        except KafkaException as error:
            if error.args[0].code() in HIDDEN:
                lacking[name] = (f"this user may not see {name}", acl(words(needed[name]), "topic", name))
            elif error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                lacking[name] = (f"there is no {name}", "vn topics create")
            else:
                raise
            continue
        if missing := needed[name] - granted:
            lacking[name] = (f"this user may not {words(missing).lower()} {name}", acl(words(missing), "topic", name))
    if not lacking:
        yield Finding("rights", ok=True, found=f"this user may use all {len(needed)} topics as it must")
        return
    for found, fix in lacking.values():
        yield Finding("rights", ok=False, found=found, fix=fix)


def group_rights(settings: Settings, stage: Stage[Any]) -> Iterator[Finding]:
    """Yield whether this user may join the stage's group and read the progress of the stages before it."""
    own = settings.topic_prefix + stage.name
    groups = [*(settings.topic_prefix + each.name for each in upstream(stage, STAGES)), own]
    for name, group in describe_groups(Broker(settings), groups).items():
        needed = READ if name == own else DESCRIBE
        if group.granted is not None and needed not in group.granted:
            right = words([needed])
            yield Finding("rights", ok=False, found=f"this user may not {right.lower()} group {name}", fix=acl(right, "group", name))
            return
    yield Finding("rights", ok=True, found=f"this user may use group {own}")


def words(rights_: Iterable[Any]) -> str:
    """Return rights as kafka-acls.sh spells them."""
    return " and ".join(sorted(each.name.capitalize() for each in rights_))


def acl(operations: str, resource: str, name: str, pattern: str = "") -> str:
    """Return the command that grants rights; the broker's administrator knows the user's name."""
    options = " ".join(f"--operation {each}" for each in operations.split(" and "))
    kind = f" --resource-pattern-type {pattern}" if pattern else ""
    return f"kafka-acls.sh --add --allow-principal User:… {options} --{resource} {name}{kind}"
