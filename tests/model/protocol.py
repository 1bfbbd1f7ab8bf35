"""
A model of the protocol of docs/exactly-once.md, small enough to visit every state.

One partition with three records, two copies of a stage, and a store. Each copy restores, decides, sends its offsets, commits
and applies, one step at a time. Between any two steps the partition may be given to the other copy (which the former owner
need not hear of), a copy may die, an answer may be lost, a transaction that nobody waits for may be committed or aborted,
and the store may be emptied or set back. `explore` visits every state that can be reached, and returns a path to the first
that breaks an invariant; with a guard left out there is one.

- Committed records are each input once, in order, decided on the fold of those before.
- The store holds the fold of the log up to its stamp, whatever its stamp is.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

KEYS: Final = (0, 1, 0)  # the state key that each record touches
Guard = Literal["fence", "stable offsets", "stamp on reading", "stamp on writing", "apply after commit"]
GUARDS: Final[frozenset[Guard]] = frozenset({"fence", "stable offsets", "stamp on reading", "stamp on writing", "apply after commit"})

Counts = tuple[int, int]
Entry = tuple[int, int]  # the record's offset, and the count that its key comes to
Phase = Literal["out", "ready", "decided", "sent", "committed"]


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of the stage: what it believes, and what it has in hand."""

    phase: Phase = "out"
    generation: int = 0
    position: int = 0
    entry: Entry = (0, 0)


@dataclass(frozen=True, slots=True)
class Store:
    """The cache: its stamp, None if there is none, and the counts."""

    stamp: int | None = None
    counts: Counts = (0, 0)


@dataclass(frozen=True, slots=True)
class World:
    """Everything at one moment; the last three say how often the environment may still interfere."""

    log: tuple[Entry, ...] = ()
    committed: int = 0
    pending: tuple[tuple[int, int, Entry], ...] = ()  # transactions whose offsets were sent: copy, position, entry
    owner: int = 0
    generation: int = 0
    store: Store = Store()
    copies: tuple[Copy, Copy] = (Copy(), Copy(generation=-1))
    rebalances: int = 2
    deaths: int = 1
    losses: int = 2


def fold(log: tuple[Entry, ...]) -> Counts:
    """Return the counts that a log comes to."""
    counts = [0, 0]
    for offset, count in log:
        counts[KEYS[offset]] = count
    return counts[0], counts[1]


def with_count(counts: Counts, entry: Entry) -> Counts:
    """Return the counts with an entry's."""
    return (entry[1], counts[1]) if KEYS[entry[0]] == 0 else (counts[0], entry[1])


def with_copy(world: World, number: int, copy: Copy) -> World:
    return replace(world, copies=(copy, world.copies[1]) if number == 0 else (world.copies[0], copy))


EXPECTED: Final[tuple[Entry, ...]] = tuple((offset, KEYS[: offset + 1].count(key)) for offset, key in enumerate(KEYS))


def broken(world: World) -> str | None:
    """Return the invariant that a state breaks, if it breaks one."""
    if world.log != EXPECTED[: len(world.log)]:
        return f"committed {world.log}, not a prefix of {EXPECTED}"
    stamp = world.store.stamp
    if stamp is not None and (stamp > len(world.log) or world.store.counts != fold(world.log[:stamp])):
        return f"the store says {world.store} of the log {world.log}"
    return None


def steps(world: World, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    """Yield everything that may happen next."""
    for number in (0, 1):
        for what, after in copy_steps(world, number, guards):
            yield f"{'AB'[number]} {what}", after
    yield from broker_steps(world)
    yield from interference(world)


def copy_steps(world: World, number: int, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    """Yield what one copy may do next."""
    copy, mine = world.copies[number], world.owner == number
    if copy.generation != world.generation and mine:
        yield "hears that the partition is its own", with_copy(world, number, Copy("out", world.generation))
    elif copy.generation != world.generation and copy.phase != "out":
        yield "hears that the partition is not its own", with_copy(world, number, Copy("out", copy.generation))
    if copy.phase == "out" and mine and copy.generation == world.generation:
        yield from restore(world, number, guards)
    if copy.phase == "ready" and copy.position < len(KEYS):
        yield from decide(world, number, guards)
    if copy.phase == "decided":
        yield from send(world, number, guards)
    if copy.phase == "sent":
        yield "loses the answer", with_copy(world, number, replace(copy, phase="out"))
    if copy.phase == "committed":
        yield from apply(world, number, guards)


def restore(world: World, number: int, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    """A new producer aborts what its predecessor left open; the offsets are read, and the store is caught up with the log."""
    pending = tuple(each for each in world.pending if each[0] != number)
    if pending and "stable offsets" in guards:
        return  # waits
    ready = Copy("ready", world.generation, world.committed)
    store = Store(len(world.log), fold(world.log))
    yield "restores", with_copy(replace(world, pending=pending, store=store), number, ready)


def decide(world: World, number: int, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    copy, store = world.copies[number], world.store
    if store.stamp != copy.position and "stamp on reading" in guards:
        yield "finds another stamp", with_copy(world, number, replace(copy, phase="out"))
        return
    entry = (copy.position, store.counts[KEYS[copy.position]] + 1)
    yield f"decides {entry}", with_copy(world, number, replace(copy, phase="decided", entry=entry))


def send(world: World, number: int, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    """The broker takes offsets of the present generation only."""
    copy = world.copies[number]
    if copy.generation != world.generation and "fence" in guards:
        yield "is fenced", with_copy(world, number, replace(copy, phase="out"))
        return
    sent = replace(world, pending=(*world.pending, (number, copy.position, copy.entry)))
    if "apply after commit" not in guards and world.store.stamp == copy.position:
        sent = replace(sent, store=Store(copy.position + 1, with_count(world.store.counts, copy.entry)))
    yield "sends offsets", with_copy(sent, number, replace(copy, phase="sent"))


def apply(world: World, number: int, guards: frozenset[Guard]) -> Iterator[tuple[str, World]]:
    copy, store = world.copies[number], world.store
    if store.stamp == copy.position or "stamp on writing" not in guards:
        after = replace(world, store=Store(copy.position + 1, with_count(store.counts, copy.entry)))
        yield "applies", with_copy(after, number, replace(copy, phase="ready", position=copy.position + 1))
    else:
        yield "may not apply", with_copy(world, number, replace(copy, phase="out"))


def broker_steps(world: World) -> Iterator[tuple[str, World]]:
    """Yield the ends of open transactions, however late."""
    for each in world.pending:
        number, position, entry = each
        rest = replace(world, pending=tuple(other for other in world.pending if other != each))
        copy, waits = world.copies[number], world.copies[number].phase == "sent" and world.copies[number].entry == entry
        done = replace(rest, log=(*world.log, entry), committed=position + 1)
        yield f"commits {entry}", with_copy(done, number, replace(copy, phase="committed")) if waits else done
        yield f"aborts {entry}", with_copy(rest, number, replace(copy, phase="out")) if waits else rest


def interference(world: World) -> Iterator[tuple[str, World]]:
    """Yield what the environment may do."""
    if world.rebalances:
        yield (
            "the partition changes hands",
            replace(world, owner=1 - world.owner, generation=world.generation + 1, rebalances=world.rebalances - 1),
        )
    if world.deaths:
        for number in (0, 1):
            dead = with_copy(replace(world, deaths=world.deaths - 1), number, Copy("out", -1))
            yield f"{'AB'[number]} dies", replace(dead, generation=world.generation + 1) if world.owner == number else dead
    if world.losses:
        yield "the store is emptied", replace(world, store=Store(), losses=world.losses - 1)
        for stamp in range(world.store.stamp or 0):
            yield f"the store is set back to {stamp}", replace(world, store=Store(stamp, fold(world.log[:stamp])), losses=world.losses - 1)


def explore(guards: frozenset[Guard] = GUARDS) -> tuple[int, list[str]]:
    """Visit every state; return how many there are, and the shortest path to one that breaks an invariant, if there is one."""
    start = World()
    came: dict[World, tuple[World, str] | None] = {start: None}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        problem = broken(world)
        if problem is not None:
            return len(came), [*path(came, world), problem]
        for what, after in steps(world, guards):
            if after not in came:
                came[after] = (world, what)
                queue.append(after)
    return len(came), []


def path(came: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    """Return what happened from the start to a state."""
    happened = []
    while (step := came[world]) is not None:
        world, what = step
        happened.append(what)
    return happened[::-1]
