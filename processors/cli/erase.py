"""`vn erase`: the end of all readable contact data of one registrant (contract §4)."""

import getpass
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

import typer

from processors.cli.app import new_app
from processors.console.contacts import kept_registrant
from processors.deliver.contacts import address_of
from processors.domain.erasure import Erased, ErasureRequest, registrant_digest
from processors.domain.time import iso
from processors.runtime.clock import wall
from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import Broker, Place
from processors.runtime.kafka.dead_letters import dead_letters, forget_keys
from processors.runtime.kafka.purge import ANY, Purge, end_segments
from processors.runtime.kafka.user_client import Client
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

POLL, LONGEST_POLL = 1.0, 15.0  # seconds between two looks, doubled from look to look
DECIDED: Final = 120.0  # seconds that the pipeline may take
MINUTE: Final = 60_000  # milliseconds
CLEANING: Final = 10 * MINUTE  # until a broker has deleted a segment from its disk: log.retention.check.interval.ms, file.delete.delay.ms
PURGED: Final = 5_400.0  # seconds that everything may take: a segment of vn.keys ends after ten minutes, and is compacted within the hour
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
WAITS: Final = "the rest takes up to an hour and a quarter, until the broker has compacted vn.keys"


class Step(NamedTuple):
    """One thing that must be done in the end: the test whether it is, the sentence once it is, and the remedy if it never is."""

    is_done: Callable[[], bool]
    done: str
    otherwise: str


@app.command()
def erase(
    registrant_id: Annotated[str, typer.Argument(help="The registrant, as the registration site names them.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the journal. Name nobody and no address.")],
    requested_by: Annotated[str, typer.Option("--as", help="Who asks for it; the user of this machine unless given.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is true everywhere, and delete what was read.")] = False,
) -> None:
    """
    Destroy the key of a registrant's contact data, end their registrations, and tell nobody what waits for them.

    From then on no state, changelog or backup of one says where they can be reached. With --wait the records that the
    pipeline has read of registrations, receipts, intake and outbound messages are deleted too, everybody's, and the command
    ends once nothing readable is left: exit 0 only if that is true. That takes more than an hour, until the broker has compacted
    vn.keys.
    """
    settings = Settings()
    client = Client(settings)
    marks = client.table(ERASED)
    digest = registrant_digest(registrant_id, settings.seal())
    before = place_of(marks, digest)
    request = ErasureRequest(registrant_id=registrant_id, reason=reason, requested_by=requested_by or getpass.getuser())
    addresses = addresses_of(client, registrant_id)  # known only until the pipeline has decided
    letters = set(forget_keys(client, digest, addresses))
    client.send(ERASURES, [(registrant_id, client.codec.encode(request))])
    if not wait:
        for place, what, when in PLACES:
            typer.echo(f"{place}: {what}, {when}")
        say_nameless(client)
        return
    decided = Step(
        lambda: place_of(client.table(ERASED), digest) > before,
        "the registrant's key is destroyed: what states, changelogs and backups hold cannot be read",
        "the pipeline has not decided about it: does `vn run all` run? See `vn dead-letters list`",
    )
    finish(decided, DECIDED)
    letters = {*letters, *forget_keys(client, digest, addresses)}  # some came meanwhile
    typer.echo(f"the keys of {len(letters)} dead letters that may hold their data are destroyed")
    letters |= destroyed_keys(client, DEAD_LETTER_KEYS).keys()  # of a run of this command that was interrupted, too
    typer.echo(WAITS)
    for step in steps(client, settings, registrant_id, letters):
        finish(step, PURGED)
    say_nameless(client)


def say_nameless(client: Client) -> None:
    """Say how many dead letters may be anybody's, and until when they can be read with the key of the file."""
    nameless = [each.received_at for each in dead_letters(client) if each.is_anybodys]
    if nameless:
        until = iso(max(nameless) + DEAD_LETTERS.retention + SEGMENT)
        typer.echo(
            f"dead letters that do not say whose they are: {len(nameless)}, sealed with the key of the file, the last until {until}; "
            "one may hold their data"
        )


def addresses_of(client: Client, registrant_id: str) -> frozenset[str]:
    """Return the keyed digests of all addresses that a registrant has or had."""
    known = kept_registrant(client, registrant_id)
    return frozenset() if known is None else frozenset(map(address_of, known.contacts))


def place_of(marks: Mapping[str, Any], digest: str) -> int:
    """Return the place of the registrant's last erasure in the intake; -1 if they never were erased."""
    found = marks.get(digest)
    return found.seq if isinstance(found, Erased) else -1


def finish(step: Step, seconds: float) -> None:
    """Wait until a step is done, and say so; raises UserError if it is not in time."""
    until, pause = time.monotonic() + seconds, POLL
    while not step.is_done():
        if time.monotonic() > until:
            raise UserError(f"not erased everywhere yet: {step.otherwise}")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_POLL)
    typer.echo(step.done)


def steps(client: Client, settings: Settings, registrant_id: str, letters: Collection[str]) -> Iterator[Step]:
    """Yield the steps that remain after the pipeline has decided."""
    broker, prefix = Broker(settings), settings.topic_prefix
    readers = {prefix + topic.name: f"{prefix}{unit}" for topic, unit in READERS.items()}
    readers |= {prefix + topic.name: ANY for topic in OUTBOUND.values()}
    purge = Purge(broker, readers)

    def is_purged() -> bool:
        purge.delete()
        return not purge.topics_left()

    by = iso((wall() // MINUTE + 1) * MINUTE + SEGMENT + CLEANING)
    yield Step(
        is_purged,
        "what was read of registrations, receipts, answers, intake, registrants and outbound messages is deleted: nobody can read it, and "
        f"it is off the broker's disk by {by}, in a topic to which nothing comes with the first record after that",
        "a stage or provider has not read these topics to the end they had: vn.registrations, vn.outbound.… (`vn doctor` says which)",
    )
    end_segments(broker, prefix, purge.places())
    store = Store(settings.redis())
    store.rewrite_log()
    yield Step(lambda: not store.rewrites_log(), "the store's append-only file is written anew", "the store is still rewriting its file")

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


def destroyed_keys(client: Client, topic: Topic) -> dict[str, Place]:
    """Return the keys that were destroyed and can still be read, each with its place."""
    found: dict[str, Place] = {}
    seen: set[str] = set()
    for record in client.read(topic):
        if record.key is not None and record.value is not None:
            seen.add(record.key)
        elif record.key in seen:
            found[record.key] = (record.topic, record.partition)
    return found


def keys_left(client: Client, topic: Topic, ids: Collection[str]) -> set[Place]:
    """Return the partitions of a topic in which keys that were destroyed can still be read."""
    return {place for key, place in destroyed_keys(client, topic).items() if key in ids} if ids else set()
