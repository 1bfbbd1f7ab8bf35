"""The journal's order of the stages is the pipeline's."""

from processors.domain.journal import JOURNAL_STAGES, stage_order
from processors.pipeline import STAGES


def test_every_stage_but_the_answer_writes_verdicts_in_the_order_of_the_pipeline() -> None:
    assert [stage.name for stage in STAGES if stage.name != "answer"] == list(JOURNAL_STAGES)
    assert sorted(["answer", "deliver", "read", "match"], key=stage_order) == ["read", "match", "deliver", "answer"]
