"""`vn doctor`: checks everything the pipeline depends on; every finding says how to fix it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from time import time
from typing import Annotated, Final

import typer
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]
from rich.text import Text

from processors.cli.app import new_app
from processors.cli.certificates import certificates
from processors.cli.finding import Finding
from processors.cli.liveness import groups, prometheus_findings, watch
from processors.cli.output import JSON, console, print_json
from processors.cli.rights import hidden_topics, refused_user, rights, stage_rights
from processors.pipeline import PIPELINE, STAGES
from processors.rules.check import check as check_rules
from processors.rules.load import read_rules
from processors.runtime.errors import Restart, Retry, UsageError, UserError
from processors.runtime.kafka.broker_clocks import clock_differences
from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, UNAVAILABLE_ERRORS, Broker
from processors.runtime.kafka.topics_admin import TopicStatus, properties, topic_status
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.key_file import check_same_key
from processors.runtime.run.store import Store
from processors.runtime.run.watermark import CLOCK_SKEW
from processors.runtime.settings import Settings
from processors.runtime.wire.compatibility import schema_problems
from processors.topics import KEY_IDS

app = new_app("Checks broker, topics, rights, groups, watch, certificates, store, schemas, rules, key and clock.")

REPLICAS: Final = 3  # of every topic, if there are enough brokers
IN_SYNC: Final = 2
MAX_DRIFT: Final = 1.0  # seconds
START_FIX: Final = "run `vn local up`, or fix KAFKA_BOOTSTRAP_SERVERS and REDIS_URL"


Check = Callable[[Settings], Iterator[Finding]]


@app.command()
def doctor(
    *,
    stage: Annotated[str | None, typer.Option("--as", metavar="STAGE", help="Check only what this stage needs, with its rights.")] = None,
    prometheus: Annotated[str | None, typer.Option(metavar="URL", help="Also check what this Prometheus sees.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """
    Check everything the pipeline depends on; exit code 1 if something must be fixed.

    A stage has fewer rights than an administrator: run it with a stage's own user and --as STAGE, and it checks what
    that stage uses and nothing else.
    """
    findings = list(run_checks(Settings(), CHECKS if stage is None else checks_as(stage)))
    if prometheus is not None:
        findings += findings_of("prometheus", lambda _: prometheus_findings(prometheus), Settings())
    out = console()
    for each in findings:
        if as_json:
            print_json(asdict(each))
        else:
            out.print(Text("ok    " if each.ok else "fix   ", style="green" if each.ok else "bold red"), end="")
            out.print(f"{each.subject}: {each.found}" + (f"\n      -> {each.fix}" if each.fix else ""), markup=False, soft_wrap=True)
    if not all(each.ok for each in findings):
        raise typer.Exit(1)


def run_checks(settings: Settings, checks: Mapping[str, Check] | None = None) -> Iterator[Finding]:
    """Yield the findings of all checks; a check is skipped if its prerequisite failed."""
    silent: set[str] = set()
    for subject, check in (checks or CHECKS).items():
        if PREREQUISITES.get(subject) in silent:
            continue
        found = list(findings_of(subject, check, settings))
        silent |= {subject} if subject in PREREQUISITES.values() and not any(each.ok for each in found) else set()
        yield from found


def findings_of(subject: str, check: Check, settings: Settings) -> Iterator[Finding]:
    """Yield the findings of a check; if the check itself fails, that is the finding."""
    try:
        yield from check(settings)
    except UserError as error:
        found, _, fix = str(error).partition(": ")
        yield Finding(subject, ok=False, found=found, fix=fix)
    except (Retry, Restart):
        yield Finding(subject, ok=False, found="it does not answer", fix=START_FIX)
    except KafkaException as error:
        if error.args[0].code() in UNAVAILABLE_ERRORS:
            yield Finding(subject, ok=False, found="it does not answer", fix=START_FIX)
            return
        yield Finding(
            subject,
            ok=False,
            found=f"the broker says {error.args[0].name()}",
            fix="ask the broker's administrator for the right to describe it",
        )


def broker(settings: Settings) -> Iterator[Finding]:
    """Check that the broker answers and accepts this user."""
    if (refusal := refused_user(settings)) is not None:
        raise UserError(f"the broker answers but does not know this user: {refusal}")
    cluster = Broker(settings).cluster()
    yield Finding("broker", ok=True, found=f"cluster {cluster.cluster_id} answers, {len(cluster.brokers)} broker(s)")


def topics(settings: Settings) -> Iterator[Finding]:
    """Check that every topic exists, with the right number of partitions and as many replicas as the brokers allow."""
    found = topic_status(settings)
    hidden = hidden_topics(settings, [each.name for each in found if each.actual == 0])
    if hidden:
        yield Finding(
            "topics",
            ok=False,
            found=f"this user may not see {len(hidden)} of them, {hidden[0]} among them",
            fix="run it as an administrator, or with --as STAGE as a stage's user",
        )
    found = [each for each in found if each.name not in hidden]
    if missing := [each.name for each in found if each.actual == 0]:
        yield Finding("topics", ok=False, found=f"{len(missing)} are missing, {missing[0]} among them", fix="vn topics create")
    unlike: dict[str, list[TopicStatus]] = {}
    for each in found:
        if each.actual not in {0, each.partitions}:
            fix = "use another VN_TOPIC_PREFIX"
            if each.topic.partitions == "shared":
                fix = f"export VN_PARTITIONS={each.actual}"
                if each.actual < each.partitions:
                    fix += f", or vn topics grow {each.partitions}"
            unlike.setdefault(fix, []).append(each)
    for fix, (first, *others) in unlike.items():
        more = f", and {len(others)} more topics likewise" if others else ""
        yield Finding("topics", ok=False, found=f"{first.name} has {first.actual} partitions, not {first.partitions}{more}", fix=fix)
    present = [each for each in found if each.actual]
    if len(present) == len(found) and not unlike and not hidden:
        yield Finding("topics", ok=True, found=f"all {len(found)} exist")
    if present:
        yield from topic_settings(settings, present)
        yield from replicas(settings, present)


def topic_settings(settings: Settings, present: list[TopicStatus]) -> Iterator[Finding]:
    """Check that every topic has the retention, compaction and timestamp type that the pipeline relies on."""
    resources = {ConfigResource(ResourceType.TOPIC, each.name): properties(each.topic) for each in present}
    admin = _admin(settings)  # kept until the end: without it, its futures never complete
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


def replicas(settings: Settings, present: list[TopicStatus]) -> Iterator[Finding]:
    """Check that every topic has three replicas, two of them in sync, if there are three brokers."""
    cluster = Broker(settings).cluster()
    brokers, metadata = len(cluster.brokers), cluster.topics
    fewest = min(len(part.replicas) for each in present for part in metadata[each.name].partitions.values())
    if brokers < REPLICAS:
        yield Finding(
            "copies",
            ok=True,
            found=f"{fewest} of every topic on {brokers} broker(s); losing a disk loses data, so production needs {REPLICAS}",
        )
        return
    admin = _admin(settings)
    resources = [ConfigResource(ResourceType.TOPIC, each.name) for each in present]
    configs = admin.describe_configs(resources, request_timeout=REQUEST_TIMEOUT)
    in_step = min(int(future.result(CALL_DEADLINE)["min.insync.replicas"].value) for future in configs.values())
    enough = fewest >= REPLICAS and in_step >= IN_SYNC
    fix = "" if enough else "kafka-reassign-partitions.sh and kafka-configs.sh --add-config min.insync.replicas=2; see deploy/runbook.md"
    yield Finding("copies", ok=enough, found=f"at least {fewest} of every topic, min.insync.replicas at least {in_step}", fix=fix)


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
    found = schema_problems()
    yield Finding(
        "schemas",
        ok=not found,
        found=found[0] if found else "sound, and compatible with every earlier version",
        fix="undo the change, or add a version; see CONTRIBUTING.md" if found else "",
    )


def rules(settings: Settings) -> Iterator[Finding]:
    """Check that the rule files are free of contradictions."""
    library = read_rules(settings.rules_dir)
    found = check_rules(library)
    yield Finding(
        "rules",
        ok=not found,
        found=f"{len(found)} findings" if found else f"sound, version {library.version}",
        fix="vn rules check" if found else "",
    )


def key(settings: Settings) -> Iterator[Finding]:
    """Check that the key of contact data exists and that nobody else can read it."""
    seal = settings.seal()
    yield Finding("key", ok=True, found=f"the key of contact data, {seal.key_id}, is readable to its owner alone")


def key_in_use(settings: Settings) -> Iterator[Finding]:
    """Check that the pipeline's data was sealed with the same key file."""
    known = next((record.key for record in UserClient(settings).read(KEY_IDS) if record.value is not None), None)
    if known is not None:
        check_same_key(known, settings.seal())
        yield Finding("key", ok=True, found="the pipeline's data was sealed under this file of keys")


def clock(settings: Settings) -> Iterator[Finding]:
    """Check that the pipeline uses the system clock."""
    topic = settings.clock == "topic"
    found = "VN_CLOCK=topic: every stage's time is that of vn.clock, never set this in production" if topic else "the system clock"
    yield Finding("clock", ok=not topic, found=found, fix="unset VN_CLOCK" if topic else "")


def broker_clocks(settings: Settings) -> Iterator[Finding]:
    """Check that every broker's clock agrees with ours: receive times, and so the watermark, depend on it."""
    found = clock_differences(settings)
    apart = [each for each in found if abs(each.ahead) > CLOCK_SKEW / 1000 + each.uncertain]
    for each in apart:
        way = "ahead of" if each.ahead > 0 else "behind"
        difference = f"broker {each.broker} is {abs(each.ahead):.2f} s {way} this host, and more than {CLOCK_SKEW} ms ends holds early"
        yield Finding("clock", ok=False, found=difference, fix="synchronize both hosts with NTP")
    if found and not apart:
        most = max(abs(each.ahead) for each in found)
        yield Finding("clock", ok=True, found=f"at most {most:.2f} s apart from the {len(found)} broker(s)")


def drift(settings: Settings) -> Iterator[Finding]:
    """Check that the clock of the store's host agrees with ours."""
    apart = abs(Store(settings.redis()).time() - time())
    yield Finding(
        "clock",
        ok=apart < MAX_DRIFT,
        found=f"{apart:.2f} s apart from the store's",
        fix="" if apart < MAX_DRIFT else "synchronize both hosts with NTP",
    )


def _admin(settings: Settings) -> AdminClient:
    return Broker(settings).admin()


def checks_as(name: str) -> dict[str, Check]:
    """Return the checks for one stage, which need no more rights than it has; `ingest` and `deliver` have two stages each."""
    stages = PIPELINE.get(name) or tuple(each for each in STAGES if each.name == name)
    if not stages:
        raise UsageError(f"there is no stage {name}: the stages are {', '.join(PIPELINE)}")

    def rights_of_all(settings: Settings) -> Iterator[Finding]:
        for each in stages:
            yield from stage_rights(settings, each)

    return {subject: check for subject, check in CHECKS.items() if subject not in ADMINISTRATOR_CHECKS} | {"rights": rights_of_all}


# What each check depends on.
PREREQUISITES: Final = {
    "topics": "broker",
    "rights": "broker",
    "groups": "broker",
    "watch": "broker",
    "key in use": "broker",
    "drift": "store",
    "broker clocks": "broker",
}
ADMINISTRATOR_CHECKS: Final = frozenset(
    {"topics", "groups", "watch", "key in use", "broker clocks"}
)  # these need more rights than a stage has
CHECKS: Final[dict[str, Check]] = {
    "broker": broker,
    "topics": topics,
    "rights": rights,
    "groups": groups,
    "watch": watch,
    "certificates": certificates,
    "store": store,
    "schemas": schemas,
    "rules": rules,
    "key": key,
    "key in use": key_in_use,
    "clock": clock,
    "drift": drift,
    "broker clocks": broker_clocks,
}
