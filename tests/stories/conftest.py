"""The whole pipeline in memory, new for every story."""

import pytest

from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver
from tests.stories.answered import AnsweredDriver

KEY = bytes(range(64))


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def driver(rules: Rules) -> PipelineDriver:
    return AnsweredDriver(PIPELINE, rules, KEY)


@pytest.fixture
def unanswered(rules: Rules) -> AnsweredDriver:
    """A pipeline whose receipts the story sends itself."""
    found = AnsweredDriver(PIPELINE, rules, KEY)
    found.answers = None
    return found
