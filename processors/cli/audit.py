"""
`vn audit`: checks from Kafka alone that nothing was lost.

Every part of a submission must end: told, nobody registered, suppressed, flagged, dead-lettered or waiting. The sums must
match: submissions = answered + open, and attempts = ended + under way.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

import typer

from processors.cli.app import new_app
from processors.cli.output import JSON, print_json
from processors.domain.journal import Verdict, stage_order
from processors.domain.notification import Response
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import DECISIONS, RESPONSES, SUBMISSIONS

app = new_app("Checks that nothing was lost.")

End = Literal["told", "nobody_registered", "suppressed", "flagged", "dead_lettered", "waiting", "missing"]
Entry = tuple[str, str, str | None]  # ORI, message id, offender
OutcomesByStage = dict[Entry, dict[str, dict[str | None, str]]]  # the last outcome by stage and registrant

ENDS: Final[tuple[End, ...]] = ("told", "nobody_registered", "suppressed", "flagged", "dead_lettered", "waiting", "missing")
NO_ID: Final = "-"
UNDER_WAY: Final = frozenset({"sent", "accepted"})  # states of an attempt that may still have a final receipt

# How an offender's part ends, by a stage's last verdict. After `passed` and `matched` the next stage's verdict is missing.
END_BY_OUTCOME: Final[dict[str, End]] = {
    "suppressed": "suppressed",
    "flagged": "flagged",
    "rejected": "dead_lettered",
    "waiting": "waiting",
    "unmatched": "nobody_registered",
    "passed": "missing",
    "matched": "missing",
}
# How it ends by deliver's verdicts on its registrants: the first of these outcomes that any registrant has.
DELIVER_ENDS: Final[tuple[tuple[str, End], ...]] = (
    ("sent", "told"),
    ("delivered", "told"),
    ("undelivered", "told"),
    ("gathered", "waiting"),
    ("waiting", "waiting"),
    ("flagged", "flagged"),
    ("dropped", "suppressed"),
    ("suppressed", "suppressed"),
)


@app.command()
def audit(*, as_json: Annotated[bool, JSON] = False) -> None:
    """Count how every submission and offender ended; exit code 1 if one is missing."""
    client = UserClient(Settings())
    # Before the records are counted: retention may remove some meanwhile.
    complete = not any(client.start_offsets(SUBMISSIONS).values())
    received = sum(1 for _ in client.read(SUBMISSIONS))  # also records without a value: they are refused, not ignored
    journal = list(client.verdicts(DECISIONS))
    sums = count_ends(journal)
    answers = count_responses(journal, client.values(RESPONSES))
    total = {"submissions": received, "read": sums.pop("read"), **sums, **answers, **count_attempts(journal)}
    if as_json:
        print_json(total)
    else:
        for name, count in total.items():
            typer.echo(f"{name.replace('_', ' '):<18} {count:>8}")
    if found := differences(total, complete=complete):
        raise UserError(f"{'; '.join(found)}: audit again once all stages run and are idle")


def differences(total: Mapping[str, int], *, complete: bool) -> list[str]:
    """
    Return a clause for each sum that does not match.

    The journal is kept longer than submissions. Unless the topic is `complete`, some of those that were read are no longer in it.
    """
    surplus = total["read"] - total["submissions"] if complete else 0
    counts = (
        (total["submissions"] - total["read"], "submissions were not read"),
        (surplus, "submissions were read more than once"),
        (total["missing"], "offenders' parts of submissions lack a decision"),
        (total["answered_twice"], "responses are too many"),
        (total["attempts_unknown"], "attempts have a status but were never sent"),
    )
    return [f"{count} {what}" for count, what in counts if count > 0]


def count_ends(journal: Iterable[Verdict]) -> dict[str, int]:
    """Return how many submissions were read and how many offenders' parts ended in each way; `missing` lacks a verdict."""
    read, rejected = 0, 0
    merged: dict[str, str] = {}
    outcomes_by_stage: OutcomesByStage = {}
    for verdict in journal:
        if verdict.stage == "read" and verdict.ori is not None:
            read += 1
            rejected += verdict.outcome == "rejected"
        elif verdict.formerly is not None and verdict.offender is not None:
            merged[verdict.formerly] = verdict.offender
        elif verdict.offender is not None and verdict.ori is not None and verdict.outcome not in {"noted", "receipt"}:
            stages = outcomes_by_stage.setdefault((verdict.ori, verdict.message_id, verdict.offender), {})
            stages.setdefault(verdict.stage, {})[verdict.registrant_id] = verdict.outcome
    ends = Counter(end_of(stages) for stages in merge_keys(outcomes_by_stage, merged).values())
    ends["dead_lettered"] += rejected
    return {"read": read, **{name: ends[name] for name in ENDS}}


def merge_keys(outcomes_by_stage: OutcomesByStage, merged: Mapping[str, str]) -> OutcomesByStage:
    """Return the outcomes with each offender's former keys replaced by the key they were merged into."""
    found: OutcomesByStage = {}
    for (ori, message_id, offender), stages in outcomes_by_stage.items():
        key = offender
        while key is not None and key in merged:
            key = merged[key]
        together = found.setdefault((ori, message_id, key), {})
        for stage, outcomes in stages.items():
            together[stage] = together.get(stage, {}) | outcomes
    return found


def count_responses(journal: Iterable[Verdict], answers: Iterable[Response]) -> dict[str, int]:
    """
    Return how many submissions with a readable id and agency are answered, open, and answered too often.

    If an agency reuses a message id, each use is a submission and may be answered.
    """
    sent = Counter((each.ori or NO_ID, each.message_id) for each in journal if each.stage == "read")
    sent = Counter({each: count for each, count in sent.items() if NO_ID not in each})
    answered = Counter((each.ori, each.message_id) for each in answers)
    return {
        "answered": sum(1 for each in sent if answered[each]),
        "open": sum(1 for each in sent if not answered[each]),
        "answered_twice": sum(max(0, count - sent[each]) for each, count in answered.items()),
    }


def count_attempts(journal: Iterable[Verdict]) -> dict[str, int]:
    """Return how many attempts were sent, have ended and are under way, and how many have a status but were never sent."""
    last: dict[str, str] = {}
    sent: set[str] = set()
    for each in journal:
        if each.reference is not None and each.status is not None:
            last[each.reference] = each.status
            if each.outcome == "sent":
                sent.add(each.reference)
    under_way = sum(1 for reference in sent if last[reference] in UNDER_WAY)
    return {
        "attempts": len(sent),
        "attempts_ended": len(sent) - under_way,
        "attempts_under_way": under_way,
        "attempts_unknown": len(last.keys() - sent),
    }


def end_of(stages: dict[str, dict[str | None, str]]) -> End:
    """Return how one offender's part of a message ended, from the verdicts of the last stage that decided it."""
    furthest = max(stages, key=stage_order)
    outcomes = set(stages[furthest].values())
    if furthest == "deliver":
        return next((meaning for outcome, meaning in DELIVER_ENDS if outcome in outcomes), "missing")
    return END_BY_OUTCOME.get(outcomes.pop(), "missing")
