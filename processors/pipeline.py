"""The stages of the pipeline, in order."""

from typing import Any, Final

from processors.dedupe.decide import STAGE as DEDUPE
from processors.deliver.answer.decide import STAGE as ANSWER
from processors.deliver.decide import STAGE as DELIVER
from processors.ingest.identify.decide import IDENTIFY
from processors.ingest.read.decide import READ
from processors.match.decide import STAGE as MATCH
from processors.stage import Stage
from processors.validate.decide import STAGE as VALIDATE

PIPELINE: Final[dict[str, tuple[Stage[Any], ...]]] = {
    "ingest": (READ, IDENTIFY),
    "dedupe": (DEDUPE,),
    "validate": (VALIDATE,),
    "match": (MATCH,),
    "deliver": (DELIVER, ANSWER),
}

STAGES: Final[tuple[Stage[Any], ...]] = tuple(stage for stages in PIPELINE.values() for stage in stages)
