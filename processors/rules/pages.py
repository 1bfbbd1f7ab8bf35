"""docs/clocks.md and docs/compact-workflow.md, whole, made from the rules; tests say that they are current."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from processors.rules.book import Book
from processors.rules.files import BUILT_IN, read_files
from processors.rules.sections import DeadlineEntry
from processors.rules.workflow import REGIONS, Activity, Workflow

CLOCKS_PAGE: Final = """# The legal clocks of the interstate compact

Made from `processors/rules/default/deadlines.toml` by `processors.rules.pages.clocks_markdown()`; a test says that it is current.

- A clock is chosen by the date of the activity that starts it, in the time zone of the agency that sends it. That day is not counted.
- A business day is Monday to Friday and no holiday of the United States or of the state that owes (the library `holidays`). The compact's
  rules define neither; `[[holiday]]` entries in a jurisdiction's rule file correct the calendar.
- The deadline is the end of the last day where the owing state is (its default zone). At that instant an open clock becomes `overdue`,
  once.
  What comes later still meets it. A clock marked *a span of time* becomes `met` by itself.
- A clock is `cancelled` by the activities named, and with the message that started it. A cancelled message opens again what it had met.
- A clock that stands beside one of the same name with *reasons* runs in its place where the message's detail `ActivityReasonText` (in XML
  an
  element of the event) gives one of them; a reply has the reason of the request that it answers.
- Other agencies' events start or stop clocks only where they name a compact case or its states.
- No message tells of custody under a warrant for its own sake, of a probable cause hearing, or of a victim's comment. Retaking therefore
  counts from the warrant until an intake that names the compact case tells of custody; the hearing's report from the date to report that
  the violation response names, else from the response; the answer to victims from the last day for comments.

| Rule | Clock | Text | Days | Counted from | Owed by → to | Started by | Met by | Cancelled by | In force | Source |
|---|---|---|---|---|---|---|---|---|---|---|
{rows}
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
  (column
  *May be late*), it waits `out_of_order.hold` first. Internal messages reach nobody and are not flagged; an illegal one moves nothing.
- A departure cannot be withdrawn: *Withdraw Transfer* after it is flagged. A Cancel of the departure message takes the step back.
- A temporary travel's last day is the message's `compact.report_by`. More than {travel} days after its action date is flagged. Where no
  last
  day is named, nothing is held against the length, and the permit's clock ends after {travel} days.
- A transfer to a subsequent state begins with *Subsequent State Request*; the return with *Return Request*, or with *Return to Sending
  State* at once.
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


def clocks_markdown() -> str:
    """Return docs/clocks.md."""
    entries = [entry for file in read_files(BUILT_IN / "default") for entry in file.entries.get("deadline", ())]
    return CLOCKS_PAGE.format(rows="\n".join(clock_row(entry) for entry in entries if isinstance(entry, DeadlineEntry)))


def clock_row(entry: DeadlineEntry) -> str:
    """Return one line of the table of clocks."""
    conditions = [
        *([f"reasons: {_listed(entry.reasons)}"] if entry.reasons else ()),
        *([f"only after {_listed(entry.after, ' or ')}"] if entry.after else ()),
        *([f"not after {_listed(entry.unless_after, ' or ')}"] if entry.unless_after else ()),
        *(["a span of time"] if entry.lapses else ()),
    ]
    name = f"{entry.name} ({'; '.join(conditions)})" if conditions else entry.name
    counted = "the action's date"
    if entry.counted_from == "report_by":
        otherwise = "does not run without one" if entry.otherwise is None else f"else {entry.otherwise} from the action's date"
        counted = f"`compact.report_by`; {otherwise}"
    force = " ".join((*([f"from {entry.since}"] if entry.since else ()), *([f"until {entry.until}"] if entry.until else ())))
    return _row(
        entry.rule,
        name,
        entry.text,
        f"{entry.count} {entry.unit}",
        counted,
        f"{entry.owed_by} → {entry.owed_to}",
        _listed(entry.raised_by),
        _listed(entry.met_by),
        _listed(entry.cancelled_by),
        force or "always",
        entry.source,
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
        yield _row(*head, str(move), ("nothing changes" if not any(move.to) else str(move.to)) + limit, _listed(activity.awaits))
    if not activity.moves:
        yield _row(activity.name, _listed(events), "", "", "moves no case; starts and stops clocks", "")


def _node(state: str) -> str:
    return state.replace(" ", "_")


def _listed(words: Iterable[Any], between: str = ", ") -> str:
    return between.join(str(word) for word in words)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
