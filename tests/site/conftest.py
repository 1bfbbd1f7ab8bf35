"""The public's pages over a pipeline in memory."""

from pathlib import Path

import pytest

from tests.site.given import SiteUnderTest, site_over


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteUnderTest:
    monkeypatch.setattr("processors.site.page.EVEN_SECONDS", 0.001)
    return site_over(tmp_path)
