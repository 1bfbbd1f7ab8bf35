"""A view filled as the follower fills it, without a broker."""

from pathlib import Path
from typing import Any

from processors.domain.journal import Outcome, Verdict, Verdicts
from processors.domain.review import Review, ReviewState
from processors.topics import Topic
from processors.views.database import View
from processors.views.model import Row
from processors.views.tables import STAFF_MODEL

AT = 1_795_700_000_000
LOGS = {topic.name: f"log-{topic.name}" for topic in STAFF_MODEL.apply}


def made_view(folder: Path) -> View:
    view = View(folder / "view.sqlite", STAFF_MODEL)
    view.open(LOGS)
    return view


def put(view: View, topic: Topic, key: str, value: Any, offset: int = 0) -> None:
    """One record is applied, as the follower does it."""
    with view.writing() as database:
        view.model.apply[topic](database, Row(0, offset, AT, key, value))
        database.execute("INSERT OR REPLACE INTO positions VALUES (?, 0, ?)", (topic.name, offset + 1))


def review(review_id: str, *, state: ReviewState = "open", since: int = AT, **fields: Any) -> Review:
    given = {
        "message_id": "M-1",
        "ori": "VA0430000",
        "stage": "validate",
        "offender": "o1",
        "reason": "workflow",
        "detail": "a sentence",
        "jurisdiction": "VA",
        "event_type": "Jail",
        "event_subtype": "Recapture",
    }
    return Review(review_id=review_id, state=state, since=since, **(given | fields))


def verdicts(message_id: str, stage: str, outcome: Outcome, **fields: Any) -> Verdicts:
    given = {"reason": "accepted", "detail": "", "at": AT, "ori": "VA0430000", "offender": "o1"}
    return Verdicts((Verdict(stage=stage, message_id=message_id, outcome=outcome, **(given | fields)),))
