"""docs/clocks.md and docs/compact-workflow.md, whole, made from the rules; tests say that they are current."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from processors.rules.book import Book
from processors.rules.deadline_phrases import WAYS, conditions, events, in_force, start_phrase, within
from processors.rules.files import BUILT_IN, read_files
from processors.rules.sections import DeadlineEntry
from processors.rules.workflow import REGIONS, Activity, Workflow

CLOCKS_PAGE: Final = """# The legal clocks of the interstate compact

Made from `processors/rules/default/deadlines.toml` and `untracked.toml` by `processors.rules.pages.clocks_markdown()`; a test
says that it is current. `vn rules show VA` prints the clocks of one day for one state, `vn expected list` what is owed now.

## How a clock runs

- **Which rule.** The one in force on the day of the activity that starts the clock, in the time zone of the agency that sends the
  message. A rule that got another number or another number of days has an entry for each; a clock goes on by the entry that it
  began with.
- **From what day.** The day from which a clock counts is not counted itself. It is the day of the activity; where the rule says
  *receipt*, the day on which the message was received here; where it says *transmission*, the day on which the agency sent it
  (`sent_at`), or without one the receipt; never a day before the activity. The *date to report* is the message's
  `compact.report_by`.
- **Which days.** A business day is Monday to Friday and no holiday of the United States or of the state that owes (the library
  `holidays`). The compact's rules define neither; `[[holiday]]` entries in a jurisdiction's rule file correct the calendar, and
  `vn rules show` lists the holidays of the year.
- **Until when.** The end of the last day where the owing state is (its default zone). At that instant an open clock becomes
  `overdue`, once, also where the pipeline was asleep then. What comes later still meets it. A clock marked *a span of time*
  becomes `met` by itself.
- **Taken back.** A clock is `cancelled` by the activities named, and with the message that started it. A cancelled message opens
  again what it had met. The closure of a case by one receiving state leaves the clocks of another alone.
- **Other agencies'** events start or stop clocks only where they name a compact case or its states.

Two days of change are not known: since when Rule 4.109 counts from the transmission (before: from the receipt), and since when
Rule 3.104-1 counts from the notice of departure (before: from the date to report). Virginia's procedure of July 2024 has the
earlier texts; the later are taken to be in force since 2024-11-01, when the rules were next revised. `until` and `from` in a rule
file correct it.

## Reasons

Some rules depend on why something is asked for, which no event subtype says. A message may say it in its detail
`ActivityReasonText` (in XML an element of the event). One that does not has the reason of what it answers:

| Message | Without a reason of its own |
|---|---|
{inherited}

| Reason | Clocks that it decides |
|---|---|
{reasons}

## Every clock

| Rule | What is owed | By → to | Within |
|---|---|---|---|
{overview}

{clocks}
## What no clock runs for

No message of the code lists starts these, or none could meet them.

| Rule | What it says | Why there is no clock |
|---|---|---|
{untracked}
"""

WORKFLOW_PAGE: Final = """# The interstate compact's workflow

Made from `processors/rules/default/compact.toml` and `events.toml` by `processors.rules.pages.workflow_markdown()`; a test says that it
is current.

A case stands in three regions at once: the reporting instructions, the transfer on paper, and the supervision. A step is legal where one
of its lines below fits all three.

- The first message of a case may enter anywhere. What is not known contradicts nothing.
- A step has its place by its action time and is checked against where the case stood then. A date without time lies anywhere in its day.
- A message belongs to the case that it names; without a number to the open case with the latest step. A case without a number takes the
  first that is named. At most {cases} cases and their last {steps} steps are kept of an offender.
- An illegal step is flagged (`workflow`) with where the case stands and what the step needs. Where the step it lacks may only be late
  (column *May be late*), it waits `out_of_order.hold` first. Internal messages reach nobody and are not flagged; an illegal one moves
  nothing.
- A departure cannot be withdrawn: *Withdraw Transfer* after it is flagged. A Cancel of the departure message takes the step back.
- A temporary travel's last day is the message's `compact.report_by`. More than {travel} days after its action date is flagged. Where no
  last day is named, nothing is held against the length, and the permit's clock ends after {travel} days.
- A transfer to a subsequent state begins with *Subsequent State Request*; the return with *Return Request*, or with *Return to Sending
  State* at once. Neither needs a *Retaking*.
- The receiving state closes a case when the offender departs for home or for a subsequent state. Of the way home the sending state still
  tells the arrival, or that it failed; to a subsequent state the case goes on there.
- Sending and receiving states must be members of the compact (`not_a_member`): 50 states, the District of Columbia, Puerto Rico and the
  U.S. Virgin Islands.
- Another agency's event moves a case only where it names a compact case or its states.

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


def clocks_markdown(book: Book) -> str:
    """Return docs/clocks.md."""
    files = read_files(BUILT_IN / "default")
    entries = [entry for file in files for entry in file.entries.get("deadline", ()) if isinstance(entry, DeadlineEntry)]
    versions: dict[tuple[str, ...], list[DeadlineEntry]] = {}
    for entry in entries:
        versions.setdefault((entry.name, *entry.reasons), []).append(entry)
    ordered = sorted(versions.values(), key=lambda each: rule_order(each[-1].rule))
    activities = book.entries["compact_activity"].values()
    return CLOCKS_PAGE.format(
        inherited="\n".join(_row(events((each.name,), book), reason_source(each, book)) for each in activities if each.reason_from),
        reasons="\n".join(_row(reason, clocks_for_reason(reason, entries)) for reason in named_reasons(entries)),
        overview="\n".join(overview_row(each) for each in ordered),
        clocks="\n".join(clock_section(each, book) for each in ordered),
        untracked="\n".join(_row(entry.rule, entry.says, entry.why) for entry in book.entries["untracked"].values()),
    )


def rule_order(rule: str) -> tuple[int, ...]:
    """Return a rule's number as numbers are ordered."""
    return tuple(int(part) for part in rule.replace("-", ".").split("."))


def named_reasons(entries: Iterable[DeadlineEntry]) -> list[str]:
    """Return every reason that decides something."""
    return sorted({reason for entry in entries for reason in (*entry.reasons, *entry.unless_reasons)})


def clocks_for_reason(reason: str, entries: Iterable[DeadlineEntry]) -> str:
    """Return the clocks that a reason starts or keeps from running."""
    rules: dict[str, list[str]] = {}
    for entry in entries:
        if reason in entry.reasons:
            rules.setdefault(entry.name, []).append(entry.rule)
        if reason in entry.unless_reasons:
            rules.setdefault(f"no {entry.name}", []).append(entry.rule)
    return _listed((f"{name} (Rule {_listed(dict.fromkeys(numbers), ', then ')})" for name, numbers in rules.items()), "; ")


def reason_source(activity: Any, book: Book) -> str:
    """Return whose reason a message has that gives none."""
    sources = (
        f"after {events((each.activity,), book)}: {each.reason}" if each.reason else f"that of {events((each.activity,), book)}"
        for each in activity.reason_from
    )
    return _listed(sources, "; ")


def overview_row(versions: Sequence[DeadlineEntry]) -> str:
    """Return a clock's line in the table, as it is in force last."""
    last = versions[-1]
    reasons = f" ({_listed(last.reasons, ' or ')})" if last.reasons else ""
    return _row(last.rule, f"[{last.expects}](#{anchor(last)}){reasons}", f"{last.owed_by} → {last.owed_to}", within(last))


def anchor(entry: DeadlineEntry) -> str:
    """Return the name of a clock's section as links have it."""
    return "".join(sign for sign in title(entry).lower().replace(" ", "-") if sign.isalnum() or sign == "-")


def title(entry: DeadlineEntry) -> str:
    reasons = f", {_listed(entry.reasons, ' or ')}" if entry.reasons else ""
    return f"Rule {entry.rule}, {entry.name}{reasons}"


def clock_section(versions: Sequence[DeadlineEntry], book: Book) -> str:
    """Return all of one clock: its versions in a table, then what starts, meets and cancels it."""
    last = versions[-1]
    facts = {
        "Owed by": f"{last.owed_by}, to the {last.owed_to}" if last.owed_to != "victims" else f"{last.owed_by}, to victims",
        "Started by": events(last.raised_by, book),
        "Runs": conditions(last, book),
        "Met by": events(last.met_by, book) or "itself: it is a span of time",
        "Cancelled by": events(last.cancelled_by, book),
    }
    return "\n".join(
        (
            f"### {title(last)}",
            "",
            "| In force | Rule | Text | Days | Counted from | Source |",
            "|---|---|---|---|---|---|",
            *(_row(in_force(each), each.rule, each.text, within(each), start_phrase(each), each.source) for each in versions),
            "",
            *(f"- {what}: {value}" for what, value in facts.items() if value),
            "",
        )
    )


def workflow_markdown(book: Book, cases: int, steps: int) -> str:
    """Return docs/compact-workflow.md; `cases` and `steps` are how much is kept of an offender."""
    workflow = book.workflow
    travel = next(each.most_days for each in workflow.activities.values() if each.most_days is not None)
    return WORKFLOW_PAGE.format(
        cases=cases,
        steps=steps,
        travel=travel,
        diagrams="\n".join(diagram(workflow, number, region) for number, region in enumerate(REGIONS)),
        rows="\n".join(row for each in workflow.activities.values() for row in activity_rows(each, book)),
        states="\n".join(_row(each.region, each.name, each.meaning) for each in book.entries["compact_state"].values()),
    )


def diagram(workflow: Workflow, number: int, region: str) -> str:
    """Return the drawing of one region: an arrow a change, with the activities that bring it about."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for each in workflow.activities.values():
        for source, target in edges(each, number):
            arrows.setdefault((source, target), []).append(each.name)
    lines = [f"    {_node(source)} --> {_node(target)}: {', '.join(dict.fromkeys(names))}" for (source, target), names in arrows.items()]
    return "\n".join((f"## {region.capitalize()}", "", "```mermaid", "stateDiagram-v2", *lines, "```", ""))


def edges(activity: Activity, number: int) -> Iterator[tuple[str, str]]:
    """Yield the changes an activity brings about in a region; `any` where it may stand anywhere."""
    if activity.enters[number] is not None:
        yield "[*]", str(activity.enters[number])
    for move in activity.moves:
        target = move.to[number]
        if target is not None:
            yield from ((source, target) for source in move.needs[number] or ("any",) if source != target)


def activity_rows(activity: Activity, book: Book) -> Iterator[str]:
    """Yield a line a move; an activity that moves no case only starts and stops clocks."""
    events = sorted({f"{code.subtype} ({code.event_type})" for code in book.codes.values() if code.activity == activity.name})
    head = (activity.name, _listed(events), str(activity.enters))
    for move in activity.moves:
        limit = f"; at most {activity.most_days} days" if activity.most_days else ""
        to = ("nothing changes" if not any(move.to) else str(move.to)) + limit
        yield _row(*head, str(move), _listed(filter(None, (to, WAYS.get(move.way or ""))), "; "), _listed(activity.awaits))
    if not activity.moves:
        yield _row(activity.name, _listed(events), "", "", "moves no case; starts and stops clocks", "")


def _node(state: str) -> str:
    return state.replace(" ", "_")


def _listed(words: Iterable[Any], between: str = ", ") -> str:
    return between.join(str(word) for word in words)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
