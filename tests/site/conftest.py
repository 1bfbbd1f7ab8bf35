"""The public's pages over a pipeline in memory."""

from pathlib import Path

import pytest

from tests.site.given import SiteUnderTest, site_over


@pytest.fixture
def site(tmp_path: Path) -> SiteUnderTest:
    return site_over(tmp_path)


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of a site whose time must not tell anything need not wait so long, except where just that is tested."""
    if "tmp_path" in request.fixturenames and request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr("processors.site.page.EVEN_SECONDS", 0.0005)
