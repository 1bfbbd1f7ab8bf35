"""Exports the stages' state and imports it into other topics; the second half of the sample feed continues from it."""

from pathlib import Path

import pytest

from processors.domain.tick import Tick
from processors.runtime.local import LocalCluster
from processors.topics import CLOCK, ERASED, EVENTS, INTAKE, KEYS, POLICIES, SUBMISSIONS
from tests.broker.feed_run import FeedRun
from tests.broker.harness import environment
from tests.broker.killed import killed_at

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(560, method="signal")]


@pytest.fixture
def feed_run(cluster: LocalCluster, tmp_path: Path) -> FeedRun:
    return FeedRun(cluster.addresses.environment, tmp_path)


def ends(run: FeedRun, *command: str) -> str:
    """Assert that a command succeeds, and return what it printed."""
    done = run.run(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(run: FeedRun, *command: str) -> str:
    """Assert that a command is refused, and return the sentence that says why."""
    done = run.run(*command)
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


IMPORT = "processors.runtime.run.state_import"
STEPS = f"{IMPORT}:commit_progress,{IMPORT}:StateWriter.write"


def test_half_a_feed_there_and_half_here(feed_run: FeedRun, cluster: LocalCluster, tmp_path: Path) -> None:
    """Other topics are other logs, as on another cluster: offsets start again, and the number of partitions differs."""
    half, folder = len(feed_run.moments) // 2, str(tmp_path / "state")
    with feed_run.running():
        feed_run.play(feed_run.moments[:half])
        assert "stop every `vn run`" in refused(feed_run, "state", "export", folder)
    assert "identify: " in ends(feed_run, "state", "export", folder)
    assert "already exists" in refused(feed_run, "state", "export", folder)

    here = FeedRun(cluster.addresses.environment, tmp_path, partitions=3, earlier=feed_run)
    assert f"{KEYS.name} is empty" in refused(here, "state", "import", folder)
    with environment(here.environment):
        for topic in (POLICIES, KEYS, ERASED):  # as a mirror would
            here.client.send(topic, [(each.key, each.value) for each in feed_run.client.read(topic)])
        here.client.send(CLOCK, [(None, here.client.codec.encode(Tick(here.moments[half - 1].at)))])
        for number in (22, 14, 5):
            killed_at(number, STEPS, "state", "import", folder)
    stopped = here.run("run", "dedupe")
    assert (stopped.returncode, "offset -1 of" in stopped.stdout + stopped.stderr) == (1, True), "what is not whole is not started on"
    ends(here, "state", "import", folder)
    begin, before = (run.broker.end_offsets([(run.prefix + INTAKE.name, 0)]) for run in (here, feed_run))
    assert [*begin.values()] >= [*before.values()]
    with here.running():
        here.play(here.moments[half:])
    here.verify()
    assert "holds a state of identify" in refused(here, "state", "import", folder)


def test_put_back_where_nothing_was_decided_since_and_nowhere_else(feed_run: FeedRun, tmp_path: Path) -> None:
    half, folder = len(feed_run.moments) // 2, str(tmp_path / "state")
    with feed_run.running():
        feed_run.play(feed_run.moments[:half])
    ends(feed_run, "state", "export", folder, "--stage", "dedupe", "--stage", "match")
    assert "holds a state of dedupe" in refused(feed_run, "state", "import", folder, "--stage", "dedupe")
    remove_changelog(feed_run, "dedupe")
    assert "is empty" not in ends(feed_run, "state", "import", folder, "--stage", "dedupe")
    with feed_run.running():
        feed_run.play(feed_run.moments[half:])
    feed_run.verify()
    remove_changelog(feed_run, "match")
    assert "has decided records since the export" in refused(feed_run, "state", "import", folder, "--stage", "match")


def remove_changelog(run: FeedRun, stage: str) -> None:
    """Delete a stage's changelog and create an empty one."""
    admin = run.broker.admin()
    for future in admin.delete_topics([f"{run.prefix}{stage}.state"], request_timeout=10).values():
        future.result(15)
    ends(run, "topics", "create")


def test_what_is_under_way_is_not_exported_and_a_file_cut_short_not_taken(feed_run: FeedRun, tmp_path: Path) -> None:
    with feed_run.running():
        feed_run.play(feed_run.moments[:5])
    folder = tmp_path / "state"
    ends(feed_run, "state", "export", str(folder))
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    whole = (folder / "match.jsonl").read_bytes()
    (folder / "match.jsonl").write_bytes(whole[: len(whole) // 2])
    assert "use another copy" in refused(feed_run, "state", "import", str(folder))
    with environment(feed_run.environment):
        feed_run.client.send(SUBMISSIONS, [(None, b"{}")])
    assert f"{SUBMISSIONS.name}[" in refused(feed_run, "state", "export", str(tmp_path / "another"))
    assert EVENTS.name not in refused(feed_run, "state", "export", str(tmp_path / "another"))
