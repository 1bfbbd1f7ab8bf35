"""What the watch counts in compacted topics: open items, the oldest, by label; never closed ones."""

from datetime import UTC, datetime
from functools import cache

import pytest

from processors.domain.agency import AgencyHeard
from processors.domain.expectation import Expectation, ExpectationState
from processors.domain.journal import DeadLetterSettled
from processors.domain.review import Review, ReviewState
from processors.rules.load import load_rules
from processors.rules.rule_set import Rules
from processors.watch import canary, metrics
from processors.watch.metrics import MAX_AGENCIES, MetricsPage
from processors.watch.tables import Agencies, DeadLetters, Expectations, OpenReviews
from tests.cli.given import letter

NOW = int(datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp()) * 1000
MINUTE = 60_000


@cache
def rules() -> Rules:
    return load_rules(None)


def review(review_id: str, since: int, *, subtype: str = "Escape", reason: str = "workflow", state: ReviewState = "open") -> Review:
    return Review(
        review_id=review_id,
        message_id="M-1",
        ori="VA0430000",
        stage="validate",
        offender="o1",
        state=state,
        reason=reason,
        detail="",
        since=since,
        jurisdiction="VA",
        event_type="Jail",
        event_subtype=subtype,
    )


def test_open_reviews_count_by_reason_jurisdiction_and_emergency_with_the_age_of_the_oldest() -> None:
    table = OpenReviews(rules)
    table.apply("a", review("a", NOW - 5 * MINUTE))
    table.apply("b", review("b", NOW - 9 * MINUTE))
    table.apply("c", review("c", NOW - 1 * MINUTE, subtype="Recapture", reason="status_transition"))
    table.apply("d", review("d", NOW - 1 * MINUTE))
    table.apply("d", review("d", NOW - 1 * MINUTE, state="released"))
    table.apply("e", review("e", NOW))
    table.apply("e", None)
    assert sorted(table.samples(NOW), key=str) == sorted(
        [
            (metrics.REVIEWS_OPEN, ("workflow", "VA", "true"), 2),
            (metrics.REVIEW_OLDEST, ("workflow", "VA", "true"), 540.0),
            (metrics.REVIEWS_OPEN, ("status_transition", "VA", "false"), 1),
            (metrics.REVIEW_OLDEST, ("status_transition", "VA", "false"), 60.0),
        ],
        key=str,
    )


def expectation(state: ExpectationState) -> Expectation:
    return Expectation(
        expectation_id="x",
        message_id="M-1",
        ori="VA0430000",
        offender="o1",
        jurisdiction="VA",
        state=state,
        expects="Reply",
        owed_by="NC",
        rule="4.104(c)",
        text="",
        since=NOW,
        deadline=NOW,
        owing_state="NC",
    )


@pytest.mark.parametrize(("state", "counted"), [("open", 1), ("overdue", 1), ("met", 0), ("cancelled", 0)])
def test_expectations_count_while_somebody_owes(state: ExpectationState, counted: int) -> None:
    table = Expectations()
    table.apply("x", expectation("open"))
    table.apply("x", expectation(state))
    assert list(table.samples(NOW)) == [(metrics.EXPECTATIONS, (state, "4.104(c)", "NC"), 1)] * counted


def heard(ori: str, at: int) -> AgencyHeard:
    return AgencyHeard(ori=ori, jurisdiction="VA", message_id="M-1", heard_at=at)


def test_an_agency_is_shown_with_its_own_limit() -> None:
    table = Agencies(rules)
    table.apply("VA0430000", heard("VA0430000", NOW - MINUTE))
    table.apply("VA0430000", heard("VA0430000", NOW))
    assert list(table.samples(NOW)) == [
        (metrics.AGENCY_HEARD, ("VA0430000",), NOW / 1000),
        (metrics.AGENCY_LIMIT, ("VA0430000",), 86_400.0),
    ]


def test_beyond_five_hundred_agencies_the_one_silent_longest_stands_for_the_rest() -> None:
    table = Agencies(rules)
    for number in range(MAX_AGENCIES + 3):
        ori = f"VA{number:07}"
        table.apply(ori, heard(ori, NOW - number * MINUTE))
    samples = list(table.samples(NOW))
    assert len({labels for _, labels, _ in samples}) == MAX_AGENCIES + 1
    assert (metrics.AGENCY_HEARD, ("other",), (NOW - (MAX_AGENCIES + 2) * MINUTE) / 1000) in samples


def settled(dead_letter_id: str) -> DeadLetterSettled:
    return DeadLetterSettled(dead_letter_id=dead_letter_id, how="settled", settled_by="ops", reason="a test", settled_at=NOW)


@pytest.mark.parametrize("settled_first", [False, True])
def test_a_dead_letter_is_open_until_somebody_has_seen_to_it_whichever_topic_is_read_first(*, settled_first: bool) -> None:
    table = DeadLetters()
    records = [("submissions-0-1", letter("malformed")), ("submissions-0-1", settled("submissions-0-1"))]
    table.apply("submissions-0-2", letter("malformed"))
    for key, value in reversed(records) if settled_first else records:
        table.apply(key, value)
    assert list(table.samples(NOW)) == [(metrics.DEAD_LETTERS_OPEN, ("read", "malformed"), 1)]


def test_what_was_not_seen_is_absent_and_not_old() -> None:
    page = MetricsPage()
    families = frozenset({metrics.BROKERS, metrics.REVIEWS_OPEN})
    page.replace(families, [(metrics.BROKERS, (), 3), (metrics.REVIEWS_OPEN, ("workflow", "VA", "true"), 2)])
    assert page.registry.get_sample_value("vn_brokers") == 3
    page.replace(families, [])
    assert page.registry.get_sample_value("vn_brokers") is None
    assert page.registry.get_sample_value("vn_reviews_open", {"reason": "workflow", "jurisdiction": "VA", "emergency": "true"}) is None


def test_the_watchs_own_agency_is_not_one_that_may_fall_silent() -> None:
    table = Agencies(rules)
    table.apply(canary.ORI, AgencyHeard(ori=canary.ORI, jurisdiction="US", message_id="canary-1", heard_at=NOW))
    assert list(table.samples(NOW)) == []
