"""
A stage for tests of the runner, and the fold that its outputs and cache must equal.

It reads two inputs and counts records per key and input; an id among the last 50 of that key and input is a duplicate. Each input
has a memory of its own: a backlog of one must not make the stage forget the other's.
The first left record of a key sets a timer, which answers once. Every answer therefore follows from the inputs alone,
however the inputs and timers interleave.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, structs

from processors.domain.journal import Verdict
from processors.domain.notification import Receipt
from processors.domain.policy import Policy
from processors.rules.rule_set import Rules
from processors.stage import Context, Decision, Input, Output, Record, Stage
from processors.topics import Topic, changelog

LEFT = Topic("probe.left", (Receipt,), "key")
RIGHT = Topic("probe.right", (Receipt,), "key")
OUT = Topic("probe.out", (Receipt,), "key")
STATE = changelog("probe")
PROBE_TOPICS = (LEFT, RIGHT, OUT, STATE)
HOLD = 1_000


class Tally(Struct, frozen=True):
    """Counts and the last ids seen, per input; when the timer is due, and whether it has fired."""

    counts: dict[str, int]
    seen: dict[str, tuple[str, ...]] = {}
    told: bool = False
    due: int | None = None


def keys(each: Input, _: Mapping[str, Tally]) -> Iterable[str]:
    return (each.key or "",)


def decide(each: Input, states: Mapping[str, Tally], _: Context) -> Decision[Tally]:
    key = each.key or ""
    tally = states.get(key, Tally({}))
    if not isinstance(each, Record):
        if tally.told:
            raise AssertionError("told twice")
        return Decision((reply(key, "told"),), {key: structs.replace(tally, told=True, due=None)})
    tally, answer = count(tally, each.topic, each.value.reference)
    outputs = () if answer is None else (reply(key, answer),)
    if each.topic == LEFT.name and answer == f"{LEFT.name} 1":
        tally = structs.replace(tally, due=each.value.received_at + HOLD)
    verdict = Verdict(
        stage="probe",
        message_id=each.value.reference,
        outcome="suppressed" if answer is None else "passed",
        reason="duplicate",
        detail="",
        at=0,
    )
    return Decision(outputs, {key: tally}, (verdict,))


def deadline(tally: Tally) -> int | None:
    return tally.due


def count(tally: Tally, side: str, reference: str) -> tuple[Tally, str | None]:
    seen = tally.seen.get(side, ())
    if reference in seen:
        return tally, None
    counts = {**tally.counts, side: tally.counts.get(side, 0) + 1}
    return Tally(counts, {**tally.seen, side: (*seen[-49:], reference)}, tally.told, tally.due), f"{side} {counts[side]}"


def reply(key: str, what: str) -> Output:
    return Output(OUT, key, Receipt(reference=key, status="accepted", occurred_at=0, provider="probe", detail=what))


PROBE = Stage("probe", (LEFT, RIGHT), (OUT,), STATE, Tally, keys, decide, deadline)


class NoRules(Rules):
    """Empty rules whose version counts the settings."""

    def __init__(self, policies: int = 0) -> None:
        self.version = f"r0.p{policies}"

    def with_policies(self, policies: Sequence[Policy]) -> Rules:
        return NoRules(len(policies))


def expected(inputs: Mapping[str, Iterable[tuple[str, Receipt]]]) -> Counter[tuple[str, str]]:
    """Return every answer that the inputs require."""
    answers: Counter[tuple[str, str]] = Counter()
    for side, records in inputs.items():
        tallies: dict[str, Tally] = {}
        for key, record in records:
            tallies[key], answer = count(tallies.get(key, Tally({})), side, record.reference)
            if answer is not None:
                answers[key, answer] += 1
        if side == LEFT.name:
            answers.update((key, "told") for key in tallies)
    return answers
