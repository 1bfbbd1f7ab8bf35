"""The staff's pages: what they show, whom they let in, and that a decision is a record with the person's name."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from processors.console import actions as actions_module
from processors.console.actions import Actions
from processors.console.app import STATIC, create_app
from processors.console.contacts import CONFIRMED, ShownContact
from processors.console.formats import mask_personal_data
from processors.console.overview import Overview, polyline
from processors.console.page import Console
from processors.console.pages.reviews import CLAIM_MILLISECONDS
from processors.console.people import LocalUser, SignIn, SignInProxy
from processors.console.registrations import changed_registration
from processors.domain.journal import DeadLetter
from processors.domain.notification import Outbound
from processors.domain.offender import CLAIMED, UNCLAIMED, KnownPerson, OffenderStanding
from processors.domain.person import Identifier, Name
from processors.domain.review import ReviewAction
from processors.domain.seal import Seal
from processors.rules.load import load_rules
from processors.runtime.clock import wall_time
from processors.topics import CONSOLE_LOG, DEAD_LETTERS, DECISIONS, PEOPLE, REGISTRATIONS, REVIEW_ACTIONS, REVIEWS, STANDINGS, Topic
from processors.views.database import View
from processors.watch import metrics
from processors.watch.boards import STAGE_PANELS
from processors.watch.metrics import MetricsPage
from processors.web_headers import HEADERS
from tests.runtime.test_dead_letters import LETTER
from tests.views.given import made_view, put, review, verdicts
from tests.web_client import client_of

RULES = load_rules(None)


@dataclass
class Sent:
    """Takes the place of the user's client: what is sent is kept, only dead letters are read."""

    letters: list[DeadLetter] = field(default_factory=list)
    records: list[tuple[Topic, str | None, Any]] = field(default_factory=list)
    codec: Any = field(default_factory=lambda: SimpleNamespace(encode=lambda value: value, decode=lambda value: value))

    def values(self, topic: Topic) -> Iterator[DeadLetter]:
        return iter(self.letters if topic is DEAD_LETTERS else ())

    def send(self, topic: Topic, records: Any) -> int:
        self.records += [(topic, key, value) for key, value in records]
        return 1


@dataclass
class ConsoleUnderTest:
    """The console over a view without a broker."""

    view: View
    sent: Sent
    actions: Actions
    client: TestClient

    def token(self, path: str) -> str:
        return str(re.findall(r'name="token" value="(\w+)"', self.client.get(path).text)[0])

    def post(self, path: str, **form: str) -> Any:
        return self.client.post(path, data={"token": self.token(path), **form}, follow_redirects=False)


@dataclass
class UpToDate:
    """A follower that has read everything, without a broker."""

    view: View
    applied: int = 1
    total: int = 1

    @property
    def as_of(self) -> int:
        return wall_time()

    def start(self) -> None:
        """It reads nothing."""

    def stop(self) -> None:
        """It reads nothing."""


def contacts_of_anybody(registrant_id: str, *, masked: bool) -> tuple[ShownContact, ...]:
    """Stand in for the contacts that a running console reads from deliver's state."""
    address = "… 07" if masked else "+1 804-555-1007"
    return (
        ShownContact(f"{registrant_id}-1", "sms", address, "en", "confirmed", "IVINS"),
        ShownContact("AGY-0123456789ab", "sms", address, "es-x-discreet", "confirmed", "AGENCY", has_pin=True),
        ShownContact(
            "AGY-0123456789ab", "email", "m…@e…" if masked else "maria@example.org", "es-x-discreet", "waits for its code", "AGENCY"
        ),
    )


def console_over(tmp_path: Path, view: View, sign_in: SignIn | None = None) -> ConsoleUnderTest:
    sent = Sent()
    actions = Actions(sent, tmp_path / "decisions.sqlite", Seal(bytes(64)))  # type: ignore[arg-type]
    follower = UpToDate(view)
    watch = SimpleNamespace(measure=lambda _: None)
    overview = Overview(watch, SimpleNamespace(registry=CollectorRegistry()))  # type: ignore[arg-type]
    document = SimpleNamespace(title="Rules", version="r1", parts=())
    app = create_app(
        Console(sent, follower, actions, overview, RULES, lambda _: document, contacts_of_anybody, {"reply": "leave <me> alone"}.get),
        sign_in or LocalUser("ana"),
        "k",
    )  # type: ignore[arg-type]
    return ConsoleUnderTest(view, sent, actions, client_of(app))


@pytest.fixture
def console(tmp_path: Path) -> ConsoleUnderTest:
    view = made_view(tmp_path)
    put(view, REVIEWS, "a", review("a", event_subtype="Recapture", since=wall_time()))
    put(view, REVIEWS, "e", review("e", event_subtype="Escape", since=wall_time()))
    return console_over(tmp_path, view)


def test_emergencies_come_first(console: ConsoleUnderTest) -> None:
    page = console.client.get("/reviews").text
    assert page.index("/reviews/e") < page.index("/reviews/a")
    assert "<strong>1</strong> emergency in review" in console.client.get("/").text


ASKED = {"reason": "unclear_reply", "message_id": "-", "ori": "", "offender": "", "jurisdiction": "", "event_type": "", "event_subtype": ""}


def test_the_words_of_an_answer_are_shown_to_reviewers_alone(tmp_path: Path) -> None:
    console = console_over(tmp_path, made_view(tmp_path), SignInProxy("X-User", "X-States", frozenset({"testclient"}), "X-Roles"))
    put(console.view, REVIEWS, "reply", review("reply", **ASKED))
    assert "leave" in console.client.get("/reviews/reply", headers={"X-User": "ana", "X-Roles": "reviewer"}).text
    assert "you are not a reviewer" in console.client.get("/reviews/reply", headers={"X-User": "bo", "X-Roles": "operator"}).text
    assert [record.person for _, _, record in console.sent.records] == ["ana"]


def test_the_words_of_an_answer_are_shown_with_what_a_decision_on_it_does(console: ConsoleUnderTest) -> None:
    for name in ("reply", "gone"):
        put(console.view, REVIEWS, name, review(name, since=wall_time() - 86_400_000, **ASKED))
    listed, page = console.client.get("/reviews").text, console.client.get("/reviews/reply").text
    assert "A registrant's reply</a>" in listed
    assert "may wait" in listed
    assert "leave &lt;me&gt; alone" in page
    assert "Release: stop messages to that address" in page
    assert "late by" not in page
    (logged,) = (record for _, _, record in console.sent.records)
    assert (logged.person, logged.action, logged.subject) == ("ana", "reply_read", "reply")
    assert "The reply cannot be shown" in console.client.get("/reviews/gone").text
    console.client.get("/reviews/a")
    assert len(console.sent.records) == 2


def test_a_decision_can_be_undone_for_eight_seconds_and_then_leaves_with_the_persons_name(
    console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert console.post("/reviews/a", what="release", reason="asked the jail").status_code == 303
    assert "Undo" in console.client.get("/reviews/a").text
    console.actions.send_due()
    assert console.sent.records == []
    assert console.post("/reviews/a", what="undo").status_code == 303
    console.post("/reviews/a", what="release", reason="asked again")
    now = wall_time()
    monkeypatch.setattr(actions_module, "wall_time", lambda: now + 9_000)
    console.actions.send_due()
    assert console.sent.records == [
        (REVIEW_ACTIONS, "a", ReviewAction(action="release", reason="asked again", reviewer="ana", review_id="a"))
    ]
    assert not console.actions.undo("a")


def test_a_decision_on_an_emergency_leaves_at_once(console: ConsoleUnderTest) -> None:
    console.post("/reviews/e", what="discard", reason="a drill")
    assert [(key, value.action) for _, key, value in console.sent.records] == [("e", "discard")]


def test_a_decision_that_waits_survives_the_console(console: ConsoleUnderTest, tmp_path: Path) -> None:
    console.post("/reviews/a", what="release", reason="asked")
    waiting = Actions(Sent(), tmp_path / "decisions.sqlite", Seal(bytes(64))).pending("a")  # type: ignore[arg-type]
    assert waiting is not None
    assert waiting["reason"] == "asked"


@pytest.mark.parametrize(
    ("form", "sentence"), [({"what": "release", "reason": " "}, "Say why"), ({"what": "delete", "reason": "x"}, "Choose release")]
)
def test_a_form_that_cannot_be_done_says_so_and_changes_nothing(console: ConsoleUnderTest, form: dict[str, str], sentence: str) -> None:
    answer = console.post("/reviews/a", **form)
    assert (answer.status_code, sentence in answer.text) == (400, True)
    assert console.actions.pending("a") is None


def test_the_second_of_two_reviewers_is_told_who_was_first(console: ConsoleUnderTest) -> None:
    put(console.view, REVIEWS, "a", review("a", state="released", reviewer="ben"))
    token = console.token("/policies")
    answer = console.client.post("/reviews/a", data={"token": token, "what": "discard", "reason": "x"})
    assert "released by ben" in answer.text
    assert console.sent.records == []


def test_the_second_of_two_reviewers_of_a_large_group_is_told_what_the_first_decided(console: ConsoleUnderTest) -> None:
    for number in range(26):
        put(console.view, REVIEWS, f"g{number}", review(f"g{number}", group="G", reason="surge"))
    assert "second person decides the same" in console.client.get("/reviews/g0").text
    assert "The first of two" not in console.client.get("/reviews/g0").text
    first = "ben would release 26 reviews: a second reviewer must decide the same (review.four_eyes)."
    put(
        console.view,
        DECISIONS,
        "",
        verdicts("G", "identify", "noted", reason="second_reviewer_needed", detail=first, ori=None, offender=None),
    )
    assert "The first of two: Ben would release 26 reviews" in console.client.get("/reviews/g0").text


def test_whoever_takes_a_review_on_is_named_to_others_for_ten_minutes(console: ConsoleUnderTest) -> None:
    assert console.post("/reviews/a", what="claim").status_code == 303
    ((topic, _, logged),) = console.sent.records
    assert topic is CONSOLE_LOG
    assert (logged.person, logged.action, logged.subject) == ("ana", CLAIMED, "a")
    put(console.view, CONSOLE_LOG, "", logged)
    assert "You claimed this" in console.client.get("/reviews/a").text
    assert "claimed by you" in console.client.get("/reviews").text
    put(console.view, CONSOLE_LOG, "", structs.replace(logged, person="ben"))
    assert "ben claimed this" in console.client.get("/reviews/a").text
    assert "ben is on it" in console.client.get("/reviews").text
    assert console.post("/reviews/a", what="release", reason="it is urgent").status_code == 303  # a claim keeps nobody from deciding
    put(console.view, CONSOLE_LOG, "", structs.replace(logged, person="ben", action=UNCLAIMED))
    put(console.view, CONSOLE_LOG, "", structs.replace(logged, subject="e", at=wall_time() - CLAIM_MILLISECONDS - 1))
    assert "is on it" not in console.client.get("/reviews").text


def test_a_whole_group_takes_its_number_typed(console: ConsoleUnderTest) -> None:
    for number in range(3):
        put(console.view, REVIEWS, f"g{number}", review(f"g{number}", group="G", reason="surge"))
    assert "Type 3" in console.post("/reviews/g0", what="release_group", reason="checked", count="2").text
    assert console.sent.records == []
    console.post("/reviews/g0", what="release_group", reason="checked", count="3")
    assert [(key, value.group) for _, key, value in console.sent.records] == [("G", "G")]


def test_a_dead_letter_that_cannot_be_sent_again_is_refused_with_a_sentence(console: ConsoleUnderTest) -> None:
    timer = structs.replace(LETTER, dead_letter_id="timer", offset=-1)
    foreign = structs.replace(LETTER, dead_letter_id="foreign", original=Seal(bytes([7] * 64)).close(b"x", "dead-letter"))
    cut = structs.replace(LETTER, dead_letter_id="cut", length=9_000_000)
    console.sent.letters += [timer, foreign, cut]
    token = console.token("/reviews/a")
    refusals = {"timer": "is a timer", "foreign": "another key", "cut": "only the beginning", "none": "no dead letter none"}
    for name, sentence in refusals.items():
        answer = console.client.post("/dead-letters", data={"token": token, "what": "replay", "dead_letter_id": name})
        assert (answer.status_code, sentence in answer.text) == (400, True), name
    assert console.sent.records == []


def test_several_reviews_are_decided_together_with_their_number_typed(console: ConsoleUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    put(console.view, REVIEWS, "b", review("b", event_subtype="Recapture", since=wall_time()))
    form: dict[str, Any] = {"token": console.token("/reviews"), "review_id": ["a", "b"], "what": "release", "reason": "asked the jail"}
    refused = console.client.post("/reviews", data={**form, "count": "3"})
    assert (refused.status_code, "Type 2" in refused.text) == (400, True)
    assert "Select at least one" in console.client.post("/reviews", data={**form, "review_id": [], "count": "0"}).text
    assert console.client.post("/reviews", data={**form, "count": "2"}, follow_redirects=False).status_code == 303
    now = wall_time()
    monkeypatch.setattr(actions_module, "wall_time", lambda: now + 9_000)
    console.actions.send_due()
    assert {(key, value.action, value.reviewer) for _, key, value in console.sent.records} == {
        ("a", "release", "ana"),
        ("b", "release", "ana"),
    }


def test_more_than_one_person_may_decide_at_once_are_refused(console: ConsoleUnderTest) -> None:
    names = [f"m{number}" for number in range(26)]
    for name in names:
        put(console.view, REVIEWS, name, review(name, event_subtype="Recapture"))
    form = {"token": console.token("/reviews"), "review_id": names, "what": "release", "reason": "x", "count": "26"}
    assert "(25)" in console.client.post("/reviews", data=form).text
    assert console.sent.records == []


def test_what_was_filled_in_stays_when_a_registration_is_refused(console: ConsoleUnderTest) -> None:
    answer = console.post("/registrants", what="register", registrant_id="R-77", scheme="SID", value="")
    assert 'value="R-77"' in answer.text


def test_an_offender_is_found_by_name_and_number_and_shown_with_status_and_what_was_merged(console: ConsoleUnderTest) -> None:
    name, number = Name(given="John", sur="O'Brien"), Identifier(scheme="SID", value="VA-7700123")
    put(console.view, PEOPLE, "o1", KnownPerson(offender="o1", names=(name,), identifiers=(number,), birth_years=("1980",)))
    put(console.view, PEOPLE, "o2", KnownPerson(offender="o2", into="o1"))
    put(console.view, STANDINGS, "o1", OffenderStanding(offender="o1", status="Incarcerated", sending_state="VA", receiving_state="NC"))
    for query in ("obrien", "va7700123", "o1"):
        assert "/offenders/o1" in console.client.get("/", params={"q": query}).text
    page = console.client.get("/offenders/o2").text
    for text in ("John O&#39;Brien", "SID VA-7700123", "1980", "Incarcerated", "VA to NC", "o2: the same person"):
        assert text in page


def test_a_form_from_elsewhere_is_refused(console: ConsoleUnderTest) -> None:
    console.client.get("/reviews/a")
    assert console.client.post("/reviews/a", data={"what": "release", "reason": "x"}).status_code == 403
    assert console.client.post("/reviews/a", data={"token": "0" * 64, "what": "release", "reason": "x"}).status_code == 403
    assert console.sent.records == []


def test_every_answer_has_the_headers(console: ConsoleUnderTest) -> None:
    for path in ("/", "/reviews", "/reviews/none", "/static/console.css"):
        answer = console.client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_names_from_agencies_are_text_and_never_markup(console: ConsoleUnderTest) -> None:
    put(console.view, REVIEWS, "x", review("x", detail="<script>alert(1)</script>", ori="<b>"))
    page = console.client.get("/reviews/x").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_behind_a_proxy_only_its_word_counts_and_a_reviewer_sees_her_own_state(tmp_path: Path) -> None:
    view = made_view(tmp_path)
    put(view, REVIEWS, "va", review("va"))
    put(view, REVIEWS, "nc", review("nc", jurisdiction="NC"))
    console = console_over(tmp_path, view, SignInProxy("X-User", "X-States", frozenset({"testclient"})))
    assert console.client.get("/reviews").status_code == 401
    page = console.client.get("/reviews", headers={"X-User": "ana", "X-States": "nc"}).text
    assert "/reviews/nc" in page
    assert "/reviews/va" not in page
    assert console.client.get("/reviews/va", headers={"X-User": "ana", "X-States": "nc"}).status_code == 404
    other = console_over(tmp_path, view, SignInProxy("X-User", "X-States", frozenset({"10.0.0.1"})))
    assert other.client.get("/reviews", headers={"X-User": "ana"}).status_code == 401


def test_a_role_that_the_proxy_does_not_name_may_look_and_change_nothing(tmp_path: Path) -> None:
    view = made_view(tmp_path)
    put(view, REVIEWS, "va", review("va"))
    console = console_over(tmp_path, view, SignInProxy("X-User", "X-States", frozenset({"testclient"}), "X-Roles"))
    operator = {"X-User": "olu", "X-Roles": "operator"}
    token = re.findall(r'name="token" value="(\w+)"', console.client.get("/reviews/va", headers=operator).text)[0]
    form = {"token": token, "what": "release", "reason": "x"}
    assert "role reviewer" in console.client.post("/reviews/va", data=form, headers=operator).text
    assert console.client.get("/registrants", headers=operator).status_code == 403
    assert console.client.get("/tail?topic=none", headers=operator).status_code == 404
    assert console.actions.pending("va") is None


def test_a_setting_is_checked_before_it_is_sent(console: ConsoleUnderTest) -> None:
    assert console.post("/policies", what="set", key="cancel.hold", value="soon").status_code == 400
    refused = console.post("/policies", what="set", key="attempt.lease", value="0s")
    assert refused.status_code == 400
    assert "the shortest is 1s" in refused.text
    assert console.sent.records == []
    assert console.post("/policies", what="set", key="cancel.hold", value="20m").status_code == 303
    assert [value.set_by for _, _, value in console.sent.records] == ["ana"]


def test_an_advocate_registers_for_somebody(console: ConsoleUnderTest) -> None:
    assert "Fill in" in console.post("/registrants", what="register", registrant_id="R-1", scheme="SID", value="VA1").text
    given = {"registrant_id": "R-1", "scheme": "SID", "value": "VA1234567", "sms": "+18045551007", "language": "es", "discreet": "1"}
    console.post("/registrants", what="register", **given)
    (logged_in, _, logged), (topic, registration_id, value) = console.sent.records
    assert topic is REGISTRATIONS
    assert b'"verified": false' in value
    assert b'"language": "es-x-discreet"' in value
    assert logged_in is CONSOLE_LOG
    assert (logged.person, logged.action, logged.subject) == ("ana", "registered", registration_id)


CHANGED = {"registration_id": "AGY-0123456789ab", "registrant_id": "R-1", "scheme": "SID", "value": "VA1234567", "language": "es"}


def test_a_registration_made_here_is_opened_for_change_for_a_reason_that_is_kept(console: ConsoleUnderTest) -> None:
    opened = {"what": "change", "registrant": "R-1", "registration_id": "AGY-0123456789ab"}
    assert "Say why" in console.post("/registrants", **opened, reason="").text
    assert console.sent.records == []
    page = console.post("/registrants", **opened, reason="a new telephone").text
    ((_, _, logged),) = console.sent.records
    assert (logged.action, logged.subject, logged.reason) == ("contacts_seen", "R-1", "a new telephone")
    form = page[page.index("Change registration AGY-0123456789ab</h2>") :]
    for shown in (
        'value="+1 804-555-1007"',
        'value="maria@example.org"',
        '<option value="es" selected>',
        'value="1" checked',
        "Agree on a PIN",
    ):
        assert shown in form


def test_a_change_keeps_what_is_confirmed_and_has_anything_new_confirmed(console: ConsoleUnderTest) -> None:
    console.post("/registrants", what="register", **CHANGED, sms="(804) 555-1007", email="new@example.org", pin="2468")
    (_, _, logged), (topic, registration_id, value) = console.sent.records
    assert (topic, registration_id) == (REGISTRATIONS, "AGY-0123456789ab")
    assert (logged.action, logged.subject) == ("registration_changed", "AGY-0123456789ab")
    document = json.loads(value)
    assert [(each["channel"], each["verified"]) for each in document["contacts"]] == [("sms", True), ("email", False)]
    assert (document["language"], document["pin"]) == ("es", "2468")


def test_another_mailbox_is_not_confirmed_because_its_name_differs_by_case_alone() -> None:
    before = [ShownContact("AGY-0123456789ab", "email", "maria@example.org", "en", CONFIRMED, "AGENCY")]
    changed = [changed_registration({**CHANGED, "email": email}, before) for email in ("maria@example.org", "Maria@example.org")]
    assert [each["contacts"][0]["verified"] for each in changed] == [True, False]


@pytest.mark.parametrize("written", ["804 555 1007", "(804)\u200b555-1007", "001 804 555 1007", "sms:+1 804.555.1007", "'+18045551007"])
def test_a_number_is_compared_as_the_pipeline_reads_it(written: str) -> None:
    before = [ShownContact("AGY-0123456789ab", "sms", "+18045551007", "en", CONFIRMED, "AGENCY")]
    changed = changed_registration({**CHANGED, "sms": written}, before)
    assert [each["verified"] for each in changed["contacts"]] == [True]


def test_an_email_domain_is_compared_whatever_its_case() -> None:
    before = [ShownContact("AGY-0123456789ab", "email", "maria@example.org", "en", CONFIRMED, "AGENCY")]
    changed = changed_registration({**CHANGED, "email": " maria@Example.ORG"}, before)
    assert [each["verified"] for each in changed["contacts"]] == [True]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({**CHANGED, "sms": "+18045551007"}, "Give a PIN"),
        ({**CHANGED, "registration_id": "R-1-1", "sms": "+18045551007"}, "made by IVINS"),
        ({**CHANGED, "registration_id": "AGY-ba9876543210", "sms": "+18045551007"}, "no such registration"),
        ({**CHANGED, "pin": "1357"}, "a telephone number or an email address"),
    ],
)
def test_a_change_that_cannot_be_made_says_why_and_sends_nothing(console: ConsoleUnderTest, form: dict[str, str], sentence: str) -> None:
    answer = console.post("/registrants", what="register", **form)
    assert (answer.status_code, sentence in answer.text) == (400, True)
    assert console.sent.records == []


def test_whoever_looks_up_what_somebody_was_told_says_why_and_that_is_kept(console: ConsoleUnderTest) -> None:
    put(console.view, DECISIONS, "", verdicts("M-77", "deliver", "sent", registrant_id="R-1", channel="sms"))
    refused = console.client.get("/registrants?registrant=R-1")
    assert refused.status_code == 400
    assert "Say why" in refused.text
    assert "M-77" not in refused.text
    assert console.sent.records == []
    assert "M-77" in console.client.get("/registrants?registrant=R-1&reason=she+called").text
    ((topic, _, logged),) = console.sent.records
    assert topic is CONSOLE_LOG
    assert (logged.person, logged.action, logged.subject, logged.reason) == ("ana", "registrant_seen", "R-1", "she called")


def test_what_she_was_told_is_said_in_words_the_best_that_became_of_each_message(console: ConsoleUnderTest) -> None:
    for outcome, channel in (("gathered", None), ("sent", "sms"), ("undelivered", None)):
        put(console.view, DECISIONS, "", verdicts("M-1", "deliver", outcome, registrant_id="R-1", channel=channel))
    put(console.view, DECISIONS, "", verdicts("M-2", "deliver", "delivered", registrant_id="R-1", channel="voice"))
    page = console.client.get("/registrants?registrant=R-1&reason=she+called").text
    assert "<td>Yes: the registrant was reached</td><td>call</td>" in page
    assert "<td>Sent, not yet known whether it arrived</td><td>text message</td>" in page
    assert "Nothing was decided for R-2" in console.client.get("/registrants?registrant=R-2&reason=she+called").text


def test_only_messages_are_answers_each_of_an_agency_once(console: ConsoleUnderTest) -> None:
    attempts = [("sent", "sms", None), ("sent", "email", None), ("receipt", "sms", "LP-7.1-sms"), ("delivered", "sms", None)]
    for at, (outcome, channel, reference) in enumerate(attempts):
        put(
            console.view,
            DECISIONS,
            "",
            verdicts("BACK-7", "deliver", outcome, registrant_id="R-1", channel=channel, reference=reference, at=at),
        )
    put(console.view, DECISIONS, "", verdicts("BACK-7", "deliver", "gathered", registrant_id="R-1", ori="NC0920000"))
    for outside in ("LP-7.1-sms", "LP-5", "R-1"):  # a receipt's reference, a registration, the registrant erased
        put(console.view, DECISIONS, "", verdicts(outside, "deliver", "noted", registrant_id="R-1", ori=None, offender=None))
    page = console.client.get("/registrants?registrant=R-1&reason=she+called").text
    answers = re.findall(r"<tr><td>([^<]*)</td><td>([^<]*)</td><td>(\w*)</td><td><a href=\"/messages/([^\"]*)\"", page)
    assert answers == [
        ("Not yet: it waits for the end of quiet hours or for others of the same event", "", "NC0920000", "BACK-7"),
        ("Yes: the registrant was reached", "email, text message", "VA0430000", "BACK-7"),
    ]


def test_whole_addresses_are_shown_for_a_reason_alone_that_is_kept_first(console: ConsoleUnderTest) -> None:
    page = console.client.get("/registrants?registrant=R-1&reason=she+called").text
    assert "… 07" in page
    number = re.compile(r"804\D?555")  # three figures alone may stand in a token
    assert number.search(page) is None
    refused = console.post("/registrants", what="contacts", registrant="R-1", reason=" ")
    assert (refused.status_code, number.search(refused.text)) == (400, None)
    shown = console.post("/registrants", what="contacts", registrant="R-1", reason="she asks which number we have")
    assert "+1 804-555-1007" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    logged = console.sent.records[-1][2]
    assert (logged.action, logged.subject, logged.reason) == ("contacts_seen", "R-1", "she asks which number we have")


def test_keys_can_be_turned_off_on_every_page(console: ConsoleUnderTest) -> None:
    for path in ("/", "/reviews", "/reviews/a", "/registrants"):
        assert 'id="keys-off"' in console.client.get(path).text


def test_what_may_hold_contact_data_is_never_shown() -> None:
    outbound = Outbound(
        reference="R-1.x",
        notification_id="N-1",
        attempt=1,
        registrant_id="R-1",
        kind="notification",
        channel="sms",
        to="+18045551007",
        language="en",
        subject=None,
        body="canary",
        emergency=False,
        event=None,
        offenders=None,
        agency=None,
        message_ids=("M-1",),
        created_at=0,
        not_before=None,
        expires_at=0,
        confirm=False,
    )
    shown = str(mask_personal_data(outbound))
    assert "R-1.x" in shown
    assert "+18045551007" not in shown
    assert "canary" not in shown


def test_the_script_that_is_not_ours_is_the_one_that_the_page_names() -> None:
    page = (Path(__file__).parents[2] / "docs" / "console.md").read_text()
    assert sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest() in page


def test_a_chart_has_its_highest_value_at_the_top() -> None:
    assert polyline((0.0,)) == ""
    assert polyline((0.0, 10.0, 5.0)) == "0.0,30.0 80.0,2.0 160.0,16.0"


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "<strong>0</strong> reviews open"), (1, "<strong>1</strong> review open"), (2, "<strong>2</strong> reviews open")],
)
def test_one_open_review_is_no_plural(tmp_path: Path, count: int, words: str) -> None:
    view = made_view(tmp_path)
    for number in range(count):
        put(view, REVIEWS, f"r{number}", review(f"r{number}"))
    assert words in console_over(tmp_path, view).client.get("/").text


def test_the_overview_shows_what_the_boards_define() -> None:
    page = MetricsPage()
    page.replace(frozenset(), [(metrics.BROKER_UP, (), 0.0), (metrics.GROUP_LAG, ("match", "events.confirmed"), 3.0)])
    overview = Overview(SimpleNamespace(measure=lambda _: None), page)  # type: ignore[arg-type]
    overview.measure()
    overview.measure()
    assert {each.panel.title: (each.value, each.bad) for each in overview.figures()} == {
        "Kafka answers": ("no", True),
        "Redis answers": ("-", False),
        "Partitions short of replicas": ("-", False),
    }
    rows = {row.name: row.figures for row in overview.stages()}
    assert [figure.value for figure in rows["match"]] == ["3", "-"]
    assert rows["match"][0].chart
    assert not rows["read"][0].chart


def test_the_page_names_every_panel_of_the_stages(console: ConsoleUnderTest) -> None:
    page = console.client.get("/").text
    assert [panel.title for panel in STAGE_PANELS if f">{panel.title}<br>" not in page] == []
    assert "Kafka answers" in page
