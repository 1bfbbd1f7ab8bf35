"""A long queue of one registrant is stored in pages, and sent, replaced and ended as it would be without them."""

from collections import Counter
from collections.abc import Iterator

import pytest

from processors.deliver import gathering, pages
from processors.deliver.decide import STAGE
from processors.deliver.state import PendingPage, State
from processors.domain.erasure import Erasure
from processors.domain.event import Event
from processors.domain.notification import Notification
from processors.domain.time import millis
from processors.runtime.decide.batch import OUTPUTS_PER_INPUT
from processors.topics import NOTIFICATIONS, OUTBOUND
from tests.deliver.given import DAY, HOUR, ME, MINUTE, SMS, AtDeliver, ended, event, reachable
from tests.many_records import BATCH, CODEC, ManyRecords
from tests.one_stage import SEAL

NIGHT = millis("2026-11-03T03:00:00Z")  # 22:00 in Virginia
MORNING = NIGHT + 10 * HOUR
COUNT = 20
OPEN = 10_000


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "NOTICES_PER_PAGE", 3)


def heard(number: int, **more: object) -> Event:
    """News of an event of its own, received at night."""
    at = NIGHT + 10 * DAY + number * MINUTE
    return event(**{"message_id": f"M-{number}", "seq": number, "received_at": NIGHT, "action_at": at, "past_from": at, **more})  # type: ignore[arg-type]


def at_night() -> AtDeliver:
    told = AtDeliver(now=NIGHT).register(reachable(SMS))
    for number in range(COUNT):
        told.tell(heard(number))
    return told.until(NIGHT + HOUR)


def on_pages(told: AtDeliver) -> list[State]:
    return [each for key in told.documents if isinstance(each := told.state(key), PendingPage)]


def submissions(told: AtDeliver) -> Counter[str]:
    return Counter(message_id for each in told.sent for message_id in each.message_ids)


@pytest.mark.usefixtures("small")
def test_what_waits_for_the_morning_on_pages_is_told_once() -> None:
    told = at_night()
    assert len(on_pages(told)) >= (COUNT - 6) // 3
    told.until(MORNING)
    assert submissions(told) == Counter(f"M-{number}" for number in range(COUNT))
    assert on_pages(told) == []
    assert told.registrant.pages == ()
    assert told.registrant.pending == ()


@pytest.mark.usefixtures("small")
def test_a_cancellation_and_a_change_find_what_they_replace_on_a_page() -> None:
    told = at_night()
    last = COUNT - 1
    told.tell(heard(0, message_id="C-0", root="M-0", telling="cancellation", operation="Cancel", seq=100))
    told.tell(heard(last, message_id=f"C-{last}", root=f"M-{last}", telling="cancellation", operation="Cancel", seq=101))
    told.tell(heard(5, message_id="U-5", root="M-5", telling="change", operation="Update", court="Another Court", seq=102))
    told.until(MORNING)
    assert submissions(told) == Counter({f"M-{number}" for number in range(1, last) if number != 5} | {"U-5"})


@pytest.mark.usefixtures("small")
def test_what_waits_for_a_registration_on_pages_is_told_once_it_comes() -> None:
    noon = NIGHT + 14 * HOUR
    told = AtDeliver(now=noon)
    for number in range(COUNT):
        told.tell(heard(number, received_at=noon))
    told.until(noon + HOUR)
    assert len(on_pages(told)) > 1
    told.register(reachable(SMS))
    told.until(told.now + MINUTE)
    assert submissions(told) == Counter(f"M-{number}" for number in range(COUNT))
    assert on_pages(told) == []


@pytest.mark.usefixtures("small")
def test_nothing_on_a_page_is_told_after_the_registration_ended_or_the_registrant_was_erased() -> None:
    over = at_night().receive(ended()).until(MORNING)
    erased = at_night().receive(Erasure(registrant_id=ME, seq=200, received_at=NIGHT, requested_by="kim", reason="asked for"))
    for told in (over, erased.until(MORNING)):
        assert told.sent == []
        assert on_pages(told) == []
        assert sorted(submission for submission, _ in told.results) == sorted(str(number) for number in range(COUNT))


def of_one_event(number: int, **more: object) -> Event:
    """News of one agency event: a message of its own for each, with one action time."""
    return heard(number, action_at=NIGHT + 10 * DAY, past_from=NIGHT + 10 * DAY, **more)


@pytest.mark.usefixtures("small")
def test_news_of_one_event_is_gathered_so_many_at_a_time_and_each_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "MAX_NOTICES", 4)
    told = AtDeliver(now=NIGHT).register(reachable(SMS))
    for number in range(COUNT):
        told.tell(of_one_event(number))
    assert len(on_pages(told)) > 1
    kept = [told.registrant.pending, *(each.pending for each in on_pages(told) if isinstance(each, PendingPage))]
    assert max(sum(len(each.notices) for each in pending) for pending in kept) <= 6, "a document has two pages of news at most"
    told.until(MORNING)
    assert submissions(told) == Counter(f"M-{number}" for number in range(COUNT))
    assert max(len(each.message_ids) for each in told.sent) == 4


def notifications() -> Iterator[Notification]:
    for number in range(OPEN):
        yield Notification(registrant_id=ME, registration_ids=("REG-1",), event=heard(number))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_notifications_open_for_one_registrant() -> None:
    many = ManyRecords(STAGE, NOTIFICATIONS.name, ME, SEAL)
    many.most = 500
    many.feed([reachable(SMS)])
    many.feed(notifications())
    many.check_linear()
    told: Counter[str] = Counter()
    at = NIGHT
    while told.total() < OPEN:
        at = max(at, many.task.timers.next() or at)
        assert at <= MORNING
        result = many.decide(watermark=at)
        assert len(result.outputs) <= OUTPUTS_PER_INPUT * BATCH
        sent = [CODEC.decode(each.value or b"") for each in result.outputs if each.topic is OUTBOUND["sms"]]
        told.update(message_id for each in sent if each.event is not None for message_id in each.message_ids)
    assert set(told.values()) == {1}
    assert many.largest < 1_000_000
