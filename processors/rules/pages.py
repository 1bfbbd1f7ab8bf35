"""Generates docs/clocks.md and docs/compact-workflow.md from the rules; tests check that they are current."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from processors.rules.deadline_phrases import (
    DIRECTION_PHRASES,
    conditions_phrase,
    event_names,
    in_force_phrase,
    period_phrase,
    start_phrase,
)
from processors.rules.files import BUILT_IN, read_files
from processors.rules.rule_set import RuleSet
from processors.rules.sections import DeadlineEntry
from processors.rules.workflow import REGIONS, Activity, Workflow

CLOCKS_PAGE: Final = """# The legal clocks of the interstate compact

Generated from `processors/rules/default/deadlines.toml` and `untracked.toml` by `processors.rules.pages.clocks_markdown()`; a test
checks that it is current. `vn rules show VA` prints the clocks of one day for one state, `vn expected list` what is owed now.

## How a clock runs

- **Which rule applies.** The one in force on the day of the activity that starts the clock, in the time zone of the agency that sends the
  message. If a rule got another number or another number of days, there is an entry for each version; a running clock keeps the version
  it started with.
- **First day.** The day from which a clock counts is itself not counted. It is the day of the activity; if the rule says *receipt*, the
  day on which the message was received here; if it says *transmission*, the day on which the agency sent it (`sent_at`), or the day of
  receipt if that is missing. It is never a day before the activity. The *date to report* is the message's `compact.report_by`.
- **Which days count.** A business day is Monday to Friday and no holiday of the United States or of the owing state (from the library
  `holidays`). The compact's rules do not define the term; `[[holiday]]` entries in a jurisdiction's rule file correct the calendar, and
  `vn rules show` lists the holidays of the year.
- **Last day.** A clock ends at the end of its last day in the owing state's default time zone. At that instant an open clock becomes
  `overdue`, once, even if the pipeline was not running then. What arrives later still meets it. A clock marked *a period that simply
  ends* becomes `met` by itself.
- **Cancelled.** A clock is `cancelled` by the activities listed, and together with the message that started it. Cancelling a message
  reopens the clocks that it had met. If one receiving state closes a case, the clocks of another state are not affected.
- **Events of other agencies** start or stop clocks only if they name a compact case or its states.

Two dates of change are not known: since when Rule 4.109 counts from the transmission (before: from the receipt), and since when
Rule 3.104-1 counts from the notice of departure (before: from the date to report). Virginia's procedure of July 2024 has the
earlier texts; the later ones are assumed to be in force since 2024-11-01, when the rules were next revised. `until` and `from` in a rule
file correct this.

## Reasons

Some rules depend on why something is requested, which no event subtype says. A message may give the reason in its detail
`ActivityReasonText` (in XML an element of the event). A message without one takes the reason of what it answers:

| Message | Reason if it gives none |
|---|---|
{inherited}

| Reason | Clocks that depend on it |
|---|---|
{reasons}

## Every clock

| Rule | What is owed | By → to | Within |
|---|---|---|---|
{overview}

{clocks}
## Time limits without a clock

No message of the code lists could start these, or none could meet them.

| Rule | What it says | Why there is no clock |
|---|---|---|
{untracked}
"""

WORKFLOW_PAGE: Final = """# The interstate compact's workflow

Generated from `processors/rules/default/compact.toml` and `events.toml` by `processors.rules.pages.workflow_markdown()`; a test checks that
it is current.

A case has a state in each of three regions: the reporting instructions, the transfer on paper, and the supervision. A step is legal if
one of its rows below fits all three.

- The first message of a case may enter the workflow anywhere, because an unknown history contradicts nothing.
- Steps are ordered by action time. A step is checked against the state of the case at that time. A date without a time may be at any time
  of its day.
- A message belongs to the case whose number it names. Without a number, it belongs to the open case with the latest step. A case without a
  number takes the first number that is named. At most {cases} cases and their last {steps} steps are kept for an offender.
- An illegal step is flagged (`workflow`) with the state of the case and what the step requires. If a missing earlier step may be late
  (column *May be late*), the message first waits `out_of_order.hold`. Internal messages reach no registrant and are not flagged; an
  illegal one changes nothing.
- A departure cannot be withdrawn: a *Withdraw Transfer* after a departure is flagged. A Cancel of the departure message undoes the step.
- The last day of a temporary travel is the message's `compact.report_by`. It is flagged if it is more than {travel} days after the action
  date. If no last day is named, the length is not checked, and the permit's clock ends after {travel} days.
- A transfer to a subsequent state begins with *Subsequent State Request*. A return begins with *Return Request*, or directly with *Return
  to Sending State*. Neither requires a *Retaking*.
- The receiving state closes a case when the offender leaves for home or for a subsequent state. On the way home, the sending state still
  reports the arrival or the failure to arrive. With a subsequent state, the case continues there.
- Sending and receiving states must be members of the compact (`not_a_member`): the 50 states, the District of Columbia, Puerto Rico and
  the U.S. Virgin Islands.
- An event from another agency moves a case only if it names a compact case or its states.

{diagrams}
## Every step

| Activity | Events | Enters | From | To | May be late |
|---|---|---|---|---|---|
{rows}

## Every state

| Region | State | Meaning |
|---|---|---|
{states}
"""


def clocks_markdown(rule_set: RuleSet) -> str:
    """Return docs/clocks.md."""
    files = read_files(BUILT_IN / "default")
    entries = [entry for file in files for entry in file.entries.get("deadline", ()) if isinstance(entry, DeadlineEntry)]
    versions: dict[tuple[str, ...], list[DeadlineEntry]] = {}
    for entry in entries:
        versions.setdefault((entry.name, *entry.reasons), []).append(entry)
    ordered = sorted(versions.values(), key=lambda each: rule_order(each[-1].rule))
    activities = rule_set.entries["compact_activity"].values()
    return CLOCKS_PAGE.format(
        inherited="\n".join(
            _row(event_names((each.name,), rule_set), reason_source(each, rule_set)) for each in activities if each.reason_from
        ),
        reasons="\n".join(_row(reason, clocks_for_reason(reason, entries)) for reason in named_reasons(entries)),
        overview="\n".join(overview_row(each) for each in ordered),
        clocks="\n".join(clock_section(each, rule_set) for each in ordered),
        untracked="\n".join(_row(entry.rule, entry.says, entry.why) for entry in rule_set.entries["untracked"].values()),
    )


def rule_order(rule: str) -> tuple[int, ...]:
    """Return a sort key that orders rule numbers numerically."""
    return tuple(int(part) for part in rule.replace("-", ".").split("."))


def named_reasons(entries: Iterable[DeadlineEntry]) -> list[str]:
    """Return every reason on which some clock depends."""
    return sorted({reason for entry in entries for reason in (*entry.reasons, *entry.unless_reasons)})


def clocks_for_reason(reason: str, entries: Iterable[DeadlineEntry]) -> str:
    """Return in words the clocks that a reason starts or prevents."""
    rules: dict[str, list[str]] = {}
    for entry in entries:
        if reason in entry.reasons:
            rules.setdefault(entry.name, []).append(entry.rule)
        if reason in entry.unless_reasons:
            rules.setdefault(f"no {entry.name}", []).append(entry.rule)
    return _join((f"{name} (Rule {_join(dict.fromkeys(numbers), ', then ')})" for name, numbers in rules.items()), "; ")


def reason_source(activity: Any, rule_set: RuleSet) -> str:
    """Return in words whose reason a message takes if it gives none."""
    sources = (
        f"after {event_names((each.activity,), rule_set)}: {each.reason}"
        if each.reason
        else f"that of {event_names((each.activity,), rule_set)}"
        for each in activity.reason_from
    )
    return _join(sources, "; ")


def overview_row(versions: Sequence[DeadlineEntry]) -> str:
    """Return a clock's row in the table, in its latest version."""
    last = versions[-1]
    reasons = f" ({_join(last.reasons, ' or ')})" if last.reasons else ""
    return _row(last.rule, f"[{last.expects}](#{anchor(last)}){reasons}", f"{last.owed_by} → {last.owed_to}", period_phrase(last))


def anchor(entry: DeadlineEntry) -> str:
    """Return the link anchor of a clock's section."""
    return "".join(sign for sign in title(entry).lower().replace(" ", "-") if sign.isalnum() or sign == "-")


def title(entry: DeadlineEntry) -> str:
    reasons = f", {_join(entry.reasons, ' or ')}" if entry.reasons else ""
    return f"Rule {entry.rule}, {entry.name}{reasons}"


def clock_section(versions: Sequence[DeadlineEntry], rule_set: RuleSet) -> str:
    """Return the section of one clock: its versions in a table, then what starts, meets and cancels it."""
    last = versions[-1]
    facts = {
        "Owed by": f"{last.owed_by}, to the {last.owed_to}" if last.owed_to != "victims" else f"{last.owed_by}, to victims",
        "Started by": event_names(last.raised_by, rule_set),
        "Runs": conditions_phrase(last, rule_set),
        "Met by": event_names(last.met_by, rule_set) or "the end of the period (a period that simply ends)",
        "Cancelled by": event_names(last.cancelled_by, rule_set),
    }
    return "\n".join(
        (
            f"### {title(last)}",
            "",
            "| In force | Rule | Text | Days | Counted from | Source |",
            "|---|---|---|---|---|---|",
            *(_row(in_force_phrase(each), each.rule, each.text, period_phrase(each), start_phrase(each), each.source) for each in versions),
            "",
            *(f"- {what}: {value}" for what, value in facts.items() if value),
            "",
        )
    )


def workflow_markdown(rule_set: RuleSet, cases: int, steps: int) -> str:
    """Return docs/compact-workflow.md; `cases` and `steps` are the numbers kept of an offender."""
    workflow = rule_set.workflow
    travel = next(each.most_days for each in workflow.activities.values() if each.most_days is not None)
    return WORKFLOW_PAGE.format(
        cases=cases,
        steps=steps,
        travel=travel,
        diagrams="\n".join(diagram(workflow, number, region) for number, region in enumerate(REGIONS)),
        rows="\n".join(row for each in workflow.activities.values() for row in activity_rows(each, rule_set)),
        states="\n".join(_row(each.region, each.name, each.meaning) for each in rule_set.entries["compact_state"].values()),
    )


def diagram(workflow: Workflow, number: int, region: str) -> str:
    """Return the diagram of one region: an arrow for each change, labeled with its activities."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for each in workflow.activities.values():
        for source, target in edges(each, number):
            arrows.setdefault((source, target), []).append(each.name)
    lines = [f"    {_node(source)} --> {_node(target)}: {', '.join(dict.fromkeys(names))}" for (source, target), names in arrows.items()]
    return "\n".join((f"## {region.capitalize()}", "", "```mermaid", "stateDiagram-v2", *lines, "```", ""))


def edges(activity: Activity, number: int) -> Iterator[tuple[str, str]]:
    """Yield the changes an activity makes in a region; from `any` if it is possible in every state."""
    if activity.enters[number] is not None:
        yield "[*]", str(activity.enters[number])
    for move in activity.moves:
        target = move.to[number]
        if target is not None:
            yield from ((source, target) for source in move.needs[number] or ("any",) if source != target)


def activity_rows(activity: Activity, rule_set: RuleSet) -> Iterator[str]:
    """Yield a row for each move; an activity without moves only starts and stops clocks."""
    events = sorted({f"{code.subtype} ({code.event_type})" for code in rule_set.codes.values() if code.activity == activity.name})
    head = (activity.name, _join(events), str(activity.enters))
    for move in activity.moves:
        limit = f"; at most {activity.most_days} days" if activity.most_days else ""
        to = ("nothing changes" if not any(move.to) else str(move.to)) + limit
        yield _row(*head, str(move), _join(filter(None, (to, DIRECTION_PHRASES.get(move.way or ""))), "; "), _join(activity.awaits))
    if not activity.moves:
        yield _row(activity.name, _join(events), "", "", "moves no case; starts and stops clocks", "")


def _node(state: str) -> str:
    return state.replace(" ", "_")


def _join(words: Iterable[Any], between: str = ", ") -> str:
    return between.join(str(word) for word in words)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
