"""`vn erase`: makes all contact data of one registrant unreadable (contract §4)."""

import getpass
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

import typer

from processors.cli.app import new_app
from processors.cli.arguments import not_blank, reason_option
from processors.console.contacts import read_registrant
from processors.deliver.contacts import address_of
from processors.domain.erasure import Erased, ErasureRequest, registrant_digest
from processors.domain.time import iso
from processors.ingest.read.ids import looks_like_address
from processors.runtime.clock import wall_time
from processors.runtime.errors import UsageError, UserError
from processors.runtime.kafka.clients import Broker, TopicAndPartition
from processors.runtime.kafka.dead_letters import dead_letters, destroy_keys
from processors.runtime.kafka.purge import ANY_GROUP, Purge, end_segments
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.run.store import Store
from processors.runtime.settings import Settings
from processors.topics import (
    DEAD_LETTER_KEYS,
    DEAD_LETTERS,
    ERASED,
    ERASURES,
    INBOUND,
    INTAKE,
    KEYS,
    OUTBOUND,
    RECEIPTS,
    REGISTRANTS,
    REGISTRATIONS,
    SEGMENT,
    VERIFICATIONS,
    Topic,
)

app = new_app("Erases a registrant's contact data everywhere.")

POLL, LONGEST_POLL = 1.0, 15.0  # seconds between two checks, doubled each time
DECISION_SECONDS: Final = 120.0  # that the pipeline may take to decide
MINUTE: Final = 60_000  # milliseconds
CLEANING: Final = 10 * MINUTE  # until a broker has deleted a segment from its disk: log.retention.check.interval.ms, file.delete.delay.ms
PURGE_SECONDS: Final = (
    5_400.0  # seconds that everything may take: a segment of vn.keys ends after ten minutes, and is compacted within the hour
)
# The topics in which contact data is readable, or sealed with a key of the file, and the stage that reads each.
READERS: Final[dict[Topic, str]] = {
    REGISTRATIONS: "read",
    RECEIPTS: "read",
    INBOUND: "read",
    VERIFICATIONS: "read",
    INTAKE: "identify",
    REGISTRANTS: "deliver",
}
PLACES: Final = (
    ("the registrant's key", "destroyed", "vn.keys is compacted an hour and a quarter later at the latest"),
    ("states, changelogs, backups of them", "unreadable without that key", "at once"),
    ("registrations, receipts, answers, intake, registrants", "deleted by --wait", "else by retention, within 31 days"),
    ("outbound messages", "deleted by --wait", "else by retention, within 8 days"),
    ("the store's append-only file", "rewritten by --wait", "unreadable without that key in any case"),
    ("dead letters with their id or an address of theirs", "unreadable: their keys are destroyed", "at once"),
    ("an address that opted out", "stays as its keyed digest", "so that it is not written to again"),
)
WAIT_NOTICE: Final = "the rest takes up to an hour and a quarter, until the broker has compacted vn.keys"


class Step(NamedTuple):
    """One step of an erasure: whether it is done, the sentence once it is, and what is wrong if it never is."""

    is_done: Callable[[], bool]
    done: str
    otherwise: str


@app.command()
def erase(
    registrant_id: Annotated[str, typer.Argument(callback=not_blank, help="The registrant, as the registration site names them.")],
    *,
    reason: Annotated[str, reason_option("Why; kept in the journal. Name nobody and no address.")],
    requested_by: Annotated[str, typer.Option("--as", help="Who asks for it. Default: the user of this computer.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until nothing readable is left, and delete the records that were read.")
    ] = False,
) -> None:
    """
    Destroy the key of a registrant's contact data, end their registrations, and drop the messages that wait for them.

    From then on no state, changelog or backup reveals where they can be reached: exit code 0 only then. With --wait, the
    registrations, receipts, intake records and outbound messages that were read are deleted too, those of all registrants, and
    the command ends once nothing readable is left. That takes more than an hour, until the broker has compacted vn.keys.
    """
    if looks_like_address(registrant_id):
        raise UsageError("that looks like an address, which is no registrant's id: name the registrant as the registration site does")
    settings = Settings()
    client = UserClient(settings)
    marks = client.table(ERASED)
    digest = registrant_digest(registrant_id, settings.seal())
    before, known = erasure_seq(marks, digest), is_known(client, registrant_id)
    request = ErasureRequest(registrant_id=registrant_id, reason=reason, requested_by=requested_by or getpass.getuser())
    addresses = addresses_of(client, registrant_id)  # before the pipeline decides and forgets them
    letters = set(destroy_keys(client, digest, addresses))
    client.send(ERASURES, [(registrant_id, client.codec.encode(request))])
    decided = Step(
        lambda: erasure_seq(client.table(ERASED), digest) > before,
        "the registrant's key is destroyed: what states, changelogs and backups hold cannot be read",
        "the pipeline has not decided about it: is `vn run all` running? See `vn dead-letters list`",
    )
    wait_until_done(decided, DECISION_SECONDS)
    letters = {*letters, *destroy_keys(client, digest, addresses)}  # some may be new
    if not (known or letters or is_known(client, registrant_id)):  # asked again: a registration may have been on its way
        raise UserError(
            f"nobody has the ID {registrant_id}: no registration that came so far names it (`vn explain` shows a registration's)"
        )
    typer.echo(decided.done)
    if not wait:
        for place, what, when in PLACES:
            typer.echo(f"{place}: {what}, {when}")
        report_unowned(client)
        return
    typer.echo(f"the keys of {len(letters)} dead letters that may hold their data are destroyed")
    letters |= destroyed_keys(client, DEAD_LETTER_KEYS).keys()  # also those of an interrupted run of this command
    typer.echo(WAIT_NOTICE)
    for step in steps(client, settings, registrant_id, letters):
        wait_for(step, PURGE_SECONDS)
    report_unowned(client)


def report_unowned(client: UserClient) -> None:
    """Print how many dead letters may hold anybody's data, and until when they can be read with the keys of the file."""
    unowned = [each.received_at for each in dead_letters(client) if each.is_anybodys]
    if unowned:
        until = iso(max(unowned) + DEAD_LETTERS.retention + SEGMENT)
        typer.echo(
            f"dead letters that do not say whose they are: {len(unowned)}, sealed with the key of the file, the last until {until}; "
            "one may hold their data"
        )


def addresses_of(client: UserClient, registrant_id: str) -> frozenset[str]:
    """Return the keyed digests of all known addresses of a registrant."""
    known = read_registrant(client, registrant_id)
    return frozenset() if known is None else frozenset(map(address_of, known.contacts))


def is_known(client: UserClient, registrant_id: str) -> bool:
    """Whether a registration ever named the registrant, also one that has ended or was erased."""
    known = read_registrant(client, registrant_id)
    return known is not None and bool(known.registrations)


def erasure_seq(marks: Mapping[str, Any], digest: str) -> int:
    """Return the `seq` of the registrant's last erasure; -1 if they were never erased."""
    found = marks.get(digest)
    return found.seq if isinstance(found, Erased) else -1


def wait_for(step: Step, seconds: float) -> None:
    """Wait until a step is done, then print its sentence; raises UserError if it takes longer than `seconds`."""
    wait_until_done(step, seconds)
    typer.echo(step.done)


def wait_until_done(step: Step, seconds: float) -> None:
    """Wait until a step is done; raises UserError if it takes longer than `seconds`."""
    until, pause = time.monotonic() + seconds, POLL
    while not step.is_done():
        if time.monotonic() > until:
            raise UserError(f"not erased everywhere yet: {step.otherwise}")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_POLL)


def steps(client: UserClient, settings: Settings, registrant_id: str, letters: Collection[str]) -> Iterator[Step]:
    """Yield the steps that remain after the pipeline has decided."""
    broker, prefix = Broker(settings), settings.topic_prefix
    readers = {prefix + topic.name: f"{prefix}{unit}" for topic, unit in READERS.items()}
    readers |= {prefix + topic.name: ANY_GROUP for topic in OUTBOUND.values()}
    purge = Purge(broker, readers)

    def is_purged() -> bool:
        purge.delete()
        return not purge.topics_left()

    by = iso((wall_time() // MINUTE + 1) * MINUTE + SEGMENT + CLEANING)
    yield Step(
        is_purged,
        "what was read of registrations, receipts, answers, intake, registrants and outbound messages is deleted: nobody can read it, and "
        f"it is off the broker's disk by {by}, in a topic to which nothing comes with the first record after that",
        "a stage or provider has not read these topics to the end they had: vn.registrations, vn.outbound.… (`vn doctor` says which)",
    )
    end_segments(broker, prefix, purge.topic_partitions())
    store = Store(settings.redis())
    store.rewrite_log()
    yield Step(lambda: not store.is_rewriting_log(), "the store's append-only file is rewritten", "the store is still rewriting its file")

    def is_compacted() -> bool:
        left = keys_left(client, KEYS, {registrant_id}) | keys_left(client, DEAD_LETTER_KEYS, letters)
        if left:
            end_segments(broker, prefix, left)
        return not left

    yield Step(
        is_compacted,
        "vn.keys and vn.dead-letters.keys are compacted: the keys are in no segment of them",
        "vn.keys is not compacted: see min.compaction.lag.ms and max.compaction.lag.ms of the topic (`vn topics create --apply`)",
    )


def destroyed_keys(client: UserClient, topic: Topic) -> dict[str, TopicAndPartition]:
    """Return the destroyed keys that can still be read, each with its topic and partition."""
    found: dict[str, TopicAndPartition] = {}
    seen: set[str] = set()
    for record in client.read(topic):
        if record.key is not None and record.value is not None:
            seen.add(record.key)
        elif record.key in seen:
            found[record.key] = (record.topic, record.partition)
    return found


def keys_left(client: UserClient, topic: Topic, ids: Collection[str]) -> set[TopicAndPartition]:
    """Return the partitions of a topic in which destroyed keys with these ids can still be read."""
    return {topic_partition for key, topic_partition in destroyed_keys(client, topic).items() if key in ids} if ids else set()
