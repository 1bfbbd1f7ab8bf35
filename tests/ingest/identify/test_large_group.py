"""A group of 100,000 held messages is released in bounded batches."""

import pytest
from msgspec import structs

from processors.domain.intake import Intake
from processors.ingest.identify.decide import IDENTIFY
from processors.ingest.identify.pages import PAGE, page_key
from processors.ingest.identify.state import ListHead, ListPage, OpenReview, group_key, review_key
from processors.runtime.decide.batch import OUTPUTS_PER_INPUT
from processors.runtime.wire.states import state_format
from processors.topics import EVENTS, INTAKE
from tests.ingest.identify.read_and_identify import ReadAndIdentify
from tests.ingest.identify.test_surge import flood
from tests.many_records import BATCH, CODEC, MANY, ManyRecords

GROUP = "surge-1"
ACTION = b'{"action":"release","reason":"looked into","reviewer":"%s","group":"surge-1"}'


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_group_of_a_hundred_thousand_is_released_in_bounded_batches() -> None:
    ingest = ReadAndIdentify(surge_limit="1/10m")
    review = flood(ingest, 2)[1].reviews[0]
    sample = CODEC.states(state_format(IDENTIFY))(ingest.documents[review_key(review.review_id)])
    assert isinstance(sample, OpenReview)
    many = ManyRecords(IDENTIFY, INTAKE.name, None)
    names = [f"identify-{number}" for number in range(MANY)]
    for name in names:
        many.keep(review_key(name), structs.replace(sample, review=structs.replace(review, review_id=name, group=GROUP)))
    for page in range(MANY // PAGE):
        many.keep(page_key(group_key(GROUP), page), ListPage(tuple(names[page * PAGE : (page + 1) * PAGE])))
    many.keep(group_key(GROUP), ListHead(MANY // PAGE))
    now = ingest.now
    many.feed(Intake(kind="review_action", message_id=GROUP, received_at=now, body=ACTION % reviewer) for reviewer in (b"ann", b"ben"))
    released = 0
    while len(many.task.timers):
        result = many.decide(watermark=now)
        assert len(result.outputs) <= OUTPUTS_PER_INPUT * BATCH + 2 * PAGE
        released += sum(each.topic is EVENTS for each in result.outputs)
    assert released == MANY
