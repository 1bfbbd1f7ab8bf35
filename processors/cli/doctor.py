"""`vn doctor`: checks everything the pipeline depends on; every finding says how to fix it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from time import time
from typing import Annotated, Final

import typer
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]
from rich.text import Text

from processors.cli.app import new_app
from processors.cli.output import JSON, console, print_json
from processors.rules.check import check as check_rules
from processors.rules.load import read_rules
from processors.runtime.errors import Restart, Retry, UserError
from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, UNAVAILABLE_ERRORS, Broker
from processors.runtime.kafka.topics_admin import TopicStatus, properties, topic_status
from processors.runtime.kafka.user_client import Client
from processors.runtime.key_file import check_same_key
from processors.runtime.run.store import Store
from processors.runtime.settings import Settings
from processors.runtime.wire.compatibility import problems
from processors.topics import KEY_IDS

app = new_app("Checks broker, topics, rights, store, schemas, rules, key and clock.")

COPIES: Final = 3  # replicas of every topic, if there are as many brokers
IN_SYNC: Final = 2
DRIFT: Final = 1.0  # seconds
START: Final = "run `vn local up`, or fix KAFKA_BOOTSTRAP_SERVERS and REDIS_URL"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `fix` says how to fix it, empty if nothing is wrong."""

    subject: str
    ok: bool
    found: str
    fix: str = ""


Check = Callable[[Settings], Iterator[Finding]]


@app.command()
def doctor(*, as_json: Annotated[bool, JSON] = False) -> None:
    """Check everything the pipeline depends on; exit code 1 if something must be fixed."""
    findings = list(examination(Settings()))
    out = console()
    for each in findings:
        if as_json:
            print_json(asdict(each))
        else:
            out.print(Text("ok    " if each.ok else "fix   ", style="green" if each.ok else "bold red"), end="")
            out.print(f"{each.subject}: {each.found}" + (f"\n      -> {each.fix}" if each.fix else ""), markup=False, soft_wrap=True)
    if not all(each.ok for each in findings):
        raise typer.Exit(1)


def examination(settings: Settings) -> Iterator[Finding]:
    """Yield all findings; a check is skipped if something that it depends on did not answer."""
    silent: set[str] = set()
    for subject, check in CHECKS.items():
        if BASE.get(subject) in silent:
            continue
        found = list(findings_of(subject, check, settings))
        silent |= {subject} if subject in BASE.values() and not any(each.ok for each in found) else set()
        yield from found


def findings_of(subject: str, check: Check, settings: Settings) -> Iterator[Finding]:
    """Yield the findings of a check; if the check itself fails, that is the finding."""
    try:
        yield from check(settings)
    except UserError as error:
        found, _, fix = str(error).partition(": ")
        yield Finding(subject, ok=False, found=found, fix=fix)
    except (Retry, Restart):
        yield Finding(subject, ok=False, found="it does not answer", fix=START)
    except KafkaException as error:
        if error.args[0].code() in UNAVAILABLE_ERRORS:
            yield Finding(subject, ok=False, found="it does not answer", fix=START)
            return
        yield Finding(
            subject,
            ok=False,
            found=f"the broker says {error.args[0].name()}",
            fix="ask the broker's administrator for the right to describe it",
        )


def broker(settings: Settings) -> Iterator[Finding]:
    """Check that the broker answers."""
    admin = _admin(settings)
    cluster = admin.describe_cluster(request_timeout=REQUEST_TIMEOUT).result(CALL_DEADLINE)
    yield Finding("broker", ok=True, found=f"cluster {cluster.cluster_id} answers, {len(cluster.nodes)} broker(s)")


def topics(settings: Settings) -> Iterator[Finding]:
    """Check that every topic exists, with the right number of partitions and as many replicas as the brokers allow."""
    found = topic_status(settings)
    if missing := [each.name for each in found if each.actual == 0]:
        yield Finding("topics", ok=False, found=f"{len(missing)} are missing, {missing[0]} among them", fix="vn topics create")
    unlike: dict[str, list[TopicStatus]] = {}
    for each in found:
        if each.actual not in {0, each.partitions}:
            fix = f"export VN_PARTITIONS={each.actual}" if each.topic.partitions == "shared" else "use another VN_TOPIC_PREFIX"
            unlike.setdefault(fix, []).append(each)
    for fix, (first, *others) in unlike.items():
        more = f", and {len(others)} more topics likewise" if others else ""
        yield Finding("topics", ok=False, found=f"{first.name} has {first.actual} partitions, not {first.partitions}{more}", fix=fix)
    present = [each for each in found if each.actual]
    if len(present) == len(found) and not unlike:
        yield Finding("topics", ok=True, found=f"all {len(found)} exist")
    if present:
        yield from topic_settings(settings, present)
        yield from copies(settings, present)


def topic_settings(settings: Settings, present: list[TopicStatus]) -> Iterator[Finding]:
    """Check that every topic has the retention, compaction and kind of timestamp that the pipeline relies on."""
    resources = {ConfigResource(ResourceType.TOPIC, each.name): properties(each.topic) for each in present}
    admin = _admin(settings)  # referenced until the end: without it, its futures never complete
    configs = admin.describe_configs(list(resources), request_timeout=REQUEST_TIMEOUT)
    unlike = [
        f"{resource.name} has {name}={actual[name].value}, not {value}"
        for resource, future in configs.items()
        for actual in [future.result(CALL_DEADLINE)]
        for name, value in resources[resource].items()
        if actual[name].value != value
    ]
    more = f", and {len(unlike) - 1} more properties likewise" if len(unlike) > 1 else ""
    if unlike:
        yield Finding("topics", ok=False, found=f"{unlike[0]}{more}", fix="vn topics create --apply")


def copies(settings: Settings, present: list[TopicStatus]) -> Iterator[Finding]:
    """Check that every topic has three replicas, two of them in sync, if there are three brokers."""
    admin = _admin(settings)
    brokers = len(admin.describe_cluster(request_timeout=REQUEST_TIMEOUT).result(CALL_DEADLINE).nodes)
    metadata = admin.list_topics(timeout=REQUEST_TIMEOUT).topics
    fewest = min(len(part.replicas) for each in present for part in metadata[each.name].partitions.values())
    if brokers < COPIES:
        yield Finding(
            "copies",
            ok=True,
            found=f"{fewest} of every topic on {brokers} broker(s); losing a disk loses data, so production needs {COPIES}",
        )
        return
    resources = [ConfigResource(ResourceType.TOPIC, each.name) for each in present]
    configs = admin.describe_configs(resources, request_timeout=REQUEST_TIMEOUT)
    in_step = min(int(future.result(CALL_DEADLINE)["min.insync.replicas"].value) for future in configs.values())
    enough = fewest >= COPIES and in_step >= IN_SYNC
    fix = "" if enough else "kafka-reassign-partitions.sh and kafka-configs.sh --add-config min.insync.replicas=2; see deploy/runbook.md"
    yield Finding("copies", ok=enough, found=f"at least {fewest} of every topic, min.insync.replicas at least {in_step}", fix=fix)


def rights(settings: Settings) -> Iterator[Finding]:
    """Check that this user may read and write every topic."""
    names = [each.name for each in topic_status(settings) if each.actual]
    if not names:
        return
    admin = _admin(settings)
    described = admin.describe_topics(TopicCollection(names), include_authorized_operations=True, request_timeout=REQUEST_TIMEOUT)
    needed = {AclOperation.READ, AclOperation.WRITE}
    for name, future in described.items():
        granted = set(future.result(CALL_DEADLINE).authorized_operations or needed)
        if missing := needed - granted:
            words = " or ".join(sorted(each.name.lower() for each in missing))
            yield Finding(
                "rights",
                ok=False,
                found=f"this user may not {words} {name}",
                fix=f"kafka-acls.sh --add --operation {words} --topic {name}",
            )
            return
    yield Finding("rights", ok=True, found=f"this user may read and write all {len(names)} topics")


def store(settings: Settings) -> Iterator[Finding]:
    """Check that Redis answers, persists its data and evicts nothing."""
    redis = Store(settings.redis())
    redis.ping()
    yield Finding("store", ok=True, found="Redis answers")
    wanted = {"appendonly": "yes", "maxmemory-policy": "noeviction"}
    for name, value in wanted.items():
        actual = redis.setting(name)
        if actual is None:
            yield Finding("store", ok=True, found=f"{name} may not be read by this user; it must be {value}")
        elif actual != value:
            yield Finding("store", ok=False, found=f"{name} is {actual}", fix=f'redis-cli -u "$REDIS_URL" config set {name} {value}')
        else:
            yield Finding("store", ok=True, found=f"{name} is {value}")


def schemas(_: Settings) -> Iterator[Finding]:
    """Check that every schema can read what was written under its earlier versions."""
    found = problems()
    yield Finding(
        "schemas",
        ok=not found,
        found=found[0] if found else "sound, and compatible with every earlier version",
        fix="undo the change, or add a version; see CONTRIBUTING.md" if found else "",
    )


def rules(settings: Settings) -> Iterator[Finding]:
    """Check that the rule files are free of contradictions."""
    shelf = read_rules(settings.rules_dir)
    found = check_rules(shelf)
    yield Finding(
        "rules",
        ok=not found,
        found=f"{len(found)} findings" if found else f"sound, version {shelf.version}",
        fix="vn rules check" if found else "",
    )


def key(settings: Settings) -> Iterator[Finding]:
    """Check that the key of contact data exists and that nobody else can read it."""
    seal = settings.seal()
    yield Finding("key", ok=True, found=f"the key of contact data, {seal.key_id}, is readable to its owner alone")


def key_in_use(settings: Settings) -> Iterator[Finding]:
    """Check that the pipeline's data was sealed under the same file of keys."""
    known = next((record.key for record in Client(settings).read(KEY_IDS) if record.value is not None), None)
    if known is not None:
        check_same_key(known, settings.seal())
        yield Finding("key", ok=True, found="the pipeline's data was sealed under this file of keys")


def clock(settings: Settings) -> Iterator[Finding]:
    """Check that the pipeline uses the system clock, and that the store's host agrees with it."""
    topic = settings.clock == "topic"
    found = "VN_CLOCK=topic: every stage's time is that of vn.clock, never set this in production" if topic else "the system clock"
    yield Finding("clock", ok=not topic, found=found, fix="unset VN_CLOCK" if topic else "")


def drift(settings: Settings) -> Iterator[Finding]:
    """Check that the clock of the store's host agrees."""
    apart = abs(Store(settings.redis()).time() - time())
    yield Finding(
        "clock",
        ok=apart < DRIFT,
        found=f"{apart:.2f} s apart from the store's",
        fix="" if apart < DRIFT else "synchronise both hosts with NTP",
    )


def _admin(settings: Settings) -> AdminClient:
    return Broker(settings).admin()


BASE: Final = {"topics": "broker", "rights": "broker", "key in use": "broker", "drift": "store"}  # what each check depends on
CHECKS: Final[dict[str, Check]] = {
    "broker": broker,
    "topics": topics,
    "rights": rights,
    "store": store,
    "schemas": schemas,
    "rules": rules,
    "key": key,
    "key in use": key_in_use,
    "clock": clock,
    "drift": drift,
}
