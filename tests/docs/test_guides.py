"""The README and the guides: every role has one, they have the same structure, and every command in them is valid."""

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from processors.pipeline import PIPELINE
from processors.rehearsal.samples import sample
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from tests.cli.test_docs import resolved
from tests.docs.guides import GUIDES, START, STOP, Block, blocks, needs_broker
from tests.docs.pages import DOCS, ROOT

PAGES = [*DOCS.rglob("*.md"), *DOCS.glob("*.yaml"), *ROOT.glob("*.md"), ROOT / "deploy" / "runbook.md"]
READERS = ("agency", "registration-site", "provider", "operator", "reviewer", "administrator", "developer")
MAKE = re.compile(r"^make (\w+)", re.MULTILINE)
VN = re.compile(r"""(?:^|[|;(] ?|until )(?:\S+=\S+ )?(?:\.venv/bin/)?(vn [a-z][^|;&)>\n]*)""", re.MULTILINE)


def commands(page: Path) -> list[str]:
    """Return the `vn` commands of a page, a word in the place of what another command prints."""
    plain = (re.sub(r'(?<!eval )"\$\(.*\)"', "NAME", block.commands) for block in blocks(page))
    return [found.strip() for each in plain for found in VN.findall(re.sub(r" \d?>\S+", "", each))]


def test_everybody_has_a_guide_that_the_front_page_names() -> None:
    front = (ROOT / "README.md").read_text()
    for reader in READERS:
        assert (DOCS / "guides" / f"{reader}.md").is_file()
        assert f"](docs/guides/{reader}.md)" in front


def test_the_index_links_every_page() -> None:
    index = (DOCS / "index.md").read_text()
    linked = {(DOCS / target.partition("#")[0]).resolve() for target in re.findall(r"\]\(([^)]+)\)", index)}
    assert {str(page) for page in PAGES if page not in linked} == {str(DOCS / "index.md")}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_guide_starts_and_stops_the_pipeline_as_all_others_do(page: Path) -> None:
    found = [block.commands for block in blocks(page)]
    assert found
    if needs_broker(page):
        assert found[-1] == STOP
        assert found.count(START) == 1
    assert all(("local up" in each) == (each == START) for each in found)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_every_command_of_a_guide_is_one(page: Path) -> None:
    for command in commands(page):
        words = ["NAME" if word.startswith("$") else word for word in shlex.split(command)]
        path, known, arguments = resolved(words)
        known.make_context(" ".join(path), arguments)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {name for block in blocks(page) for name in MAKE.findall(block.commands)} <= set(targets)


def test_commands_are_found_wherever_they_stand() -> None:
    found = VN.findall('eval "$(.venv/bin/vn local up)"\nvn sample x | vn submit -\nVN_RULES_DIR=.vn/rules vn rules check || echo no\n')
    assert [each.strip() for each in found] == ["vn local up", "vn sample x", "vn submit -", "vn rules check"]


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in GUIDES if not needs_broker(page)], ids=lambda page: page.stem)
def test_a_guide_without_a_broker_is_done(page: Path) -> None:
    """All but the tests themselves, which are running."""
    for block in blocks(page):
        quick = "\n".join(line for line in block.commands.splitlines() if not MAKE.match(line))
        done = subprocess.run(
            ["/bin/bash", "-ec", quick], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert block.missing(done.stdout + done.stderr) is None, block.missing(done.stdout + done.stderr)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VN_", "KAFKA_", "REDIS_"))}
    return kept | {"PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"}


def test_the_front_page_follows_the_message_as_it_goes() -> None:
    front = (ROOT / "README.md").read_text()
    message = (ROOT / "examples" / "xml" / "icots-departure.xml").read_text()
    driver = PipelineDriver(PIPELINE, load_rules(), key=bytes(64), start=datetime.fromisoformat("2026-10-20T17:25:00+00:00"))
    driver.register(json.loads(sample("registration").text))
    driver.submit(message)
    driver.advance(timedelta(minutes=1))
    text = next(each for each in driver.outbound("sms") if each.kind == "notification")
    assert f"```text\n{text.body}\n```" in front
    assert {each.channel for each in driver.outbound() if each.kind == "notification"} == {"sms", "email", "voice"}
    for line in re.findall(r"^(<[nv].*)$", front, re.MULTILINE):
        assert line in message
    told = re.findall(r"^\| (?:ingest: )?(\w+) \| .*?`(\w+)`", front, re.MULTILINE)
    went = [(each.stage, each.outcome) for each in driver.verdicts("ICOTS-NOD-931") if each.outcome != "gathered"]
    assert told == list(dict.fromkeys(went))


def test_what_is_not_printed_is_missed() -> None:
    block = Block("a.md", "vn explain X", ("identify  passed", "deliver sent"))
    assert block.missing("identify passed\ndeliver   sent") is None
    assert "deliver sent" in (block.missing("deliver sent\nidentify passed") or "")
    assert block.looks
    assert not Block("a.md", "vn explain X\nvn submit -").looks
