"""The checks of `vn doctor` for what is running: the stages' groups, `vn watch`, and a Prometheus that scrapes them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx2

from processors.cli.finding import Finding
from processors.domain.time import iso
from processors.pipeline import STAGES
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import REQUEST_TIMEOUT, Broker
from processors.runtime.kafka.groups import describe_groups
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import OUTBOUND_CANARY

CANARY_LATE: Final = 15 * 60_000  # milliseconds: three canaries that did not come out
JOBS: Final = frozenset({"vn", "watch"})  # as deploy/prometheus/prometheus.yml names what always runs
TARGETS, RULES = "/api/v1/targets", "/api/v1/rules"


def groups(settings: Settings) -> Iterator[Finding]:
    """Check that either every stage has a running copy, or none has."""
    prefix = settings.topic_prefix
    found = describe_groups(Broker(settings), [prefix + each.name for each in STAGES])
    members = {name.removeprefix(prefix): len(group.hosts) for name, group in found.items()}
    idle = [name for name, count in members.items() if not count]
    if len(idle) == len(members):
        yield Finding("groups", ok=True, found="no stage is at work")
    elif idle:
        yield Finding("groups", ok=False, found=f"no copy of {', '.join(idle)} is at work", fix=f"vn run {' '.join(idle)}")
    else:
        at_work = ", ".join(f"{count} of {name}" for name, count in members.items())
        yield Finding("groups", ok=True, found=f"at work: {at_work}")


def watch(settings: Settings) -> Iterator[Finding]:
    """Check that the canaries of `vn watch` come out, if one ever has."""
    newest = UserClient(settings).newest(OUTBOUND_CANARY, 1)
    if not newest:
        yield Finding("watch", ok=True, found="no canary has come out yet: `vn watch` sends one every five minutes")
        return
    late = wall_time() - newest[0].timestamp > CANARY_LATE
    found, fix = f"the last canary came out at {iso(newest[0].timestamp)}", "vn watch, and vn run all" if late else ""
    yield Finding("watch", ok=not late, found=found, fix=fix)


def prometheus_findings(url: str) -> Iterator[Finding]:
    """Check that a Prometheus scrapes the pipeline and has its alerting rules, and that none of them fires."""
    targets = _ask(url, TARGETS)["activeTargets"]
    ours = [each for each in targets if each["labels"].get("job") in JOBS]
    down = [each["scrapeUrl"] for each in ours if each["health"] != "up"]
    missing = JOBS - {each["labels"]["job"] for each in ours}
    if missing:
        jobs = " and no job ".join(sorted(missing))
        yield Finding("prometheus", ok=False, found=f"it scrapes no job {jobs}", fix="add the jobs of deploy/prometheus/prometheus.yml")
    elif down:
        yield Finding("prometheus", ok=False, found=f"it cannot scrape {', '.join(down)}", fix="start what serves it, or fix the target")
    else:
        yield Finding("prometheus", ok=True, found=f"it scrapes {len(ours)} targets of the pipeline")
    rules = [rule for group in _ask(url, RULES)["groups"] for rule in group["rules"] if rule["name"].startswith("Vn")]
    broken = [each["name"] for each in rules if each["health"] == "err"]
    firing = sorted(each["name"] for each in rules if each.get("state") == "firing")
    if not rules:
        yield Finding("prometheus", ok=False, found="it has none of the alerts", fix="add deploy/prometheus/rules.yml to its rule_files")
        return
    if broken:
        yield Finding("prometheus", ok=False, found=f"it cannot evaluate {', '.join(broken)}", fix="load the rules of this version")
    for name in firing:
        if name != "VnWatchdog":
            yield Finding("prometheus", ok=False, found=f"{name} fires", fix=f"deploy/runbook.md#{name.lower()}")
    if not broken:
        yield Finding("prometheus", ok=True, found=f"it has {len(rules)} alerts")


def _ask(url: str, path: str) -> Mapping[str, Any]:
    try:
        answer = httpx2.get(url.rstrip("/") + path, timeout=REQUEST_TIMEOUT)
        answer.raise_for_status()
        found: Mapping[str, Any] = answer.json()["data"]
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError) as error:
        raise UserError(f"no Prometheus answers at {url} ({type(error).__name__}): name its address, as http://host:9090") from None
    return found
