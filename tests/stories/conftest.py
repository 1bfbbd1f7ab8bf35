"""The whole pipeline in memory, new for every story."""

import pytest

from processors.pipeline import PIPELINE
from processors.rules.book import Rules
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver

KEY = bytes(range(64))


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_rules()


@pytest.fixture
def driver(rules: Rules) -> PipelineDriver:
    return PipelineDriver(PIPELINE, rules, KEY)
