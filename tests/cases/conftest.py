"""The whole pipeline in memory, new for every case."""

from tests.stories.conftest import driver, rules

__all__ = ["driver", "rules"]
