"""Checks a page with axe and for cut-off content at three widths, and takes pictures of it for the documentation."""

import os
from pathlib import Path
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDTHS: Final = (320, 768, 1280)
IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# What is scrolled below "Leave this site" when axe looks is not smaller for that; a page that was just written loads its style again.
STICKY = """async position => {
  const bar = document.querySelector('.leave');
  if (bar) bar.style.position = position;
  do { await new Promise(each => requestAnimationFrame(() => requestAnimationFrame(each))); } while (
    document.readyState !== "complete" || [...document.querySelectorAll('link[rel=stylesheet]')].some(each => !each.sheet));
}"""


def assert_accessible(page: Page, where: str, picture: str = "") -> None:
    """No rule of WCAG 2.2 AA that axe knows is broken at any width, and nothing is cut off; with PICTURES=1, make a picture."""
    size = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{where} is wider than {width} pixels"
        page.evaluate(STICKY, "static")
        found = Axe().run(page, options={"runOnly": RULES})
        page.evaluate(STICKY, "")
        assert found.violations_count == 0, f"{where} at {width}: {found.generate_report()}"
    if picture and os.environ.get("PICTURES"):
        page.set_viewport_size({"width": 768, "height": 640})
        page.screenshot(path=str(IMAGES / f"{picture}.png"))
    if size is not None:
        page.set_viewport_size(size)
