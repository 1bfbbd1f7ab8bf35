"""
Benchmark: a stage and the peers' job against a raw copy, the whole pipeline's throughput and latency, on its own broker and store.

`make bench` takes some ten minutes and writes bench/results.md. Broker, store, six processes and the benchmark
share one machine; other programs' load affects every figure, CPU seconds least.
"""

import os
import platform
from collections.abc import Generator, Iterable, Iterator, Sequence
from cProfile import Profile
from datetime import UTC, datetime
from pathlib import Path
from pstats import SortKey, Stats
from typing import Annotated, Final

import typer

from bench import chain, memory, sizes, stage, whole
from bench.cluster import BenchCluster, bench_cluster
from bench.feed import EVENTS_EACH
from bench.peers.compare import Peer, compare_peers
from processors.pipeline import PIPELINE

PARTS: Final = ("memory", "sizes", "stage", "peers", "whole", "latency", "chain")
RESULTS: Final = Path(__file__).with_name("results.md")
RATE: Final = 50
LINES: Final = 40  # of a profile
WARM: Final = 2  # 1/WARM of the submissions are sent first and not counted: the broker's JVM compiles while it works


def main(  # noqa: PLR0913  the command's options
    parts: Annotated[list[str] | None, typer.Argument(metavar="[PART]...", help=f"Any of {', '.join(PARTS)}; without, all.")] = None,
    *,
    quick: Annotated[bool, typer.Option(help="A tenth of the records, to see that it works.")] = False,
    records: Annotated[int, typer.Option(min=1_000, help="Records of the stage part.")] = 100_000,
    submissions: Annotated[int, typer.Option(min=1_000, help="Submissions of the whole part.")] = 40_000,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of the stage part.")] = 2,
    seconds: Annotated[int, typer.Option(min=1, help="Seconds of the latency part.")] = 20,
    write: Annotated[bool, typer.Option(help="Write bench/results.md.")] = True,
    profile: Annotated[str | None, typer.Option(metavar="UNIT", help="Show what a unit of the memory part does, and nothing else.")] = None,
) -> None:
    """Measure the pipeline and print the results."""
    wanted = parse_parts(parts or PARTS)
    if quick:
        records, submissions, rounds, seconds = records // 10, submissions // 10, 1, 5
    if profile is not None:
        show_profile(profile)
        return
    lines = [*heading()]

    def tell(found: Iterable[str]) -> None:
        for line in found:
            print(line, flush=True)
            lines.append(line)

    tell(())
    print("\n".join(lines))
    costs, stored = memory.measure(4_000 if not quick else 2_000)
    if "memory" in wanted:
        tell(memory_report(costs))
    if "sizes" in wanted:
        tell(sizes_report(sizes.measure(4_000 if not quick else 2_000)))
    if wanted - {"memory", "sizes"}:
        with bench_cluster() as here:
            for lines_of_part in broker_parts(here, wanted, stored, (records, submissions, rounds, seconds)):
                tell(lines_of_part)
    if write and wanted >= set(PARTS) and not quick:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def broker_parts(
    here: BenchCluster, wanted: set[str], stored: dict[str, list[memory.StoredRecord]], sizes: tuple[int, int, int, int]
) -> Iterator[Iterable[str]]:
    """Measure the parts that need a broker, and yield the results part by part."""
    records, submissions, rounds, seconds = sizes
    if "stage" in wanted:
        copies, stages = stage.compare(here, stored["events.distinct"], records, rounds)
        yield stage_report("One stage", stage.NAME, copies, stages)
    if "peers" in wanted:
        yield peers_report(compare_peers(here, 4 * records, rounds))
    latest = None
    if wanted & {"whole", "latency"}:
        latest = yield from pipeline_reports(here, wanted, submissions, seconds)
    if "chain" in wanted:
        yield chain_report(chain.measure_chain(here, RATE, seconds), latest)


def parse_parts(parts: Iterable[str]) -> set[str]:
    """Return the parts to measure; raises BadParameter if there is no such part."""
    wanted = set(parts)
    if unknown := wanted - set(PARTS):
        raise typer.BadParameter(f"there is no part {min(unknown)}: the parts are {', '.join(PARTS)}")
    return wanted


def show_profile(of: str) -> None:
    """Print a profile of one stage; profiling makes function calls look more expensive than they are."""
    names = [stage.name for stages in PIPELINE.values() for stage in stages]
    if of not in names:
        raise typer.BadParameter(f"there is no unit {of}: the units are {', '.join(names)}")
    profile = Profile()
    memory.measure(4_000, profile, of)
    Stats(profile).sort_stats(SortKey.TIME).print_stats(LINES)


def heading() -> Sequence[str]:
    now = datetime.now(UTC)
    return (
        "# Benchmark",
        "",
        f"{now:%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}.",
        "Broker, store, every process and the benchmark itself share these cores. CPU seconds are for 100,000 records.",
    )


def memory_report(costs: dict[str, memory.Cost]) -> Iterable[str]:
    submissions = costs["read"].records
    yield from ("", "## The stages alone, without broker and store", "", "| stage | records | CPU s | outcomes |", "|---|---|---|---|")
    for name, cost in costs.items():
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in cost.outcomes.items())
        yield f"| {name} | {cost.records:,} | {cost.micros / 10:.2f} | {outcomes} |"
    total = sum(cost.records * cost.micros for cost in costs.values())
    yield f"| together | {submissions:,} submissions | {total / submissions / 10:.2f} | |"


def sizes_report(found: sizes.Sizes) -> Iterable[str]:
    yield from ("", "## Bytes before compression", "", "| | a submission |", "|---|---|")
    yield from (f"| {name} | {size:,.0f} |" for name, size in sorted(found.topics.items(), key=lambda each: -each[1]))
    yield f"| journal of all stages | {found.journal:,.0f} |"
    yield f"| changelogs of all stages | {sum(found.changes.values()):,.0f} |"
    yield f"| together | {sum(found.topics.values()) + found.journal + sum(found.changes.values()):,.0f} |"
    yield from ("", "| states | an offender with five events | a registration |", "|---|---|---|")
    for name, size in found.offender.items():
        yield f"| {name} | {size:,.0f} | {found.registration[name]:,.0f} |"
    yield f"| together | {sum(found.offender.values()):,.0f} | {sum(found.registration.values()):,.0f} |"


def stage_report(title: str, name: str, copies: Sequence[stage.Speed], stages: Sequence[stage.Speed]) -> Iterable[str]:
    yield from ("", f"## {title} against the raw transactional copy of the same records", "")
    yield from ("| | records/s, each turn | best | CPU s of the process | most memory, MiB |", "|---|---|---|---|---|")
    for each, speeds in (("raw copy", copies), (name, stages)):
        best = max(speeds, key=lambda speed: speed.rate)
        turns = ", ".join(f"{speed.rate:,.0f}" for speed in speeds)
        cpu, memory = min(speed.cpu for speed in speeds), max(speed.memory for speed in speeds)
        yield f"| {each} | {turns} | {best.rate:,.0f} | {cpu:.2f} | {memory:.0f} |"
    ratios = [one.rate / copy.rate for one, copy in zip(stages, copies, strict=True)]
    yield from ("", f"Ratio, turn by turn: {', '.join(f'{each:.2f}' for each in ratios)}.")


def peers_report(found: Sequence[Peer]) -> Iterable[str]:
    """Report each system's best turn and its lowest cost, beside the raw copy."""
    yield from ("", "## The job that stream processors are compared by", "")
    yield from (
        "| | records/s, first half | second half | of the raw copy | CPU s, first half | second half | most memory, MiB | what it wrote |",
    )
    yield from ("|---|---|---|---|---|---|---|---|",)
    copy = best_halves(found[0])
    for each in found:
        cold, warm = best_halves(each)
        memory = max(speed.memory for halves in each.speeds for speed in halves)
        share = (cold.rate + warm.rate) / (copy[0].rate + copy[1].rate)
        rates, costs = f"{cold.rate:,.0f} | {warm.rate:,.0f} | {share:.2f}", f"{cold.cpu:.2f} | {warm.cpu:.2f} | {memory:.0f}"
        yield f"| {each.title} | {rates} | {costs} | {'right' if each.right else '**wrong**'} |"


def best_halves(peer: Peer) -> tuple[stage.Speed, stage.Speed]:
    """Return the best rate and the lowest CPU of both halves over all turns."""
    cold, warm = zip(*peer.speeds, strict=True)
    return best(cold), best(warm)


def best(speeds: Sequence[stage.Speed]) -> stage.Speed:
    return stage.Speed(max(each.rate for each in speeds), min(each.cpu for each in speeds), max(each.memory for each in speeds))


def pipeline_reports(
    here: BenchCluster, wanted: set[str], submissions: int, seconds: int
) -> Generator[Iterable[str], None, whole.Latency | None]:
    """Yield the results of the whole pipeline, and return the last latency that was measured."""
    deployment = whole.start_pipeline(here, submissions // EVENTS_EACH)
    latest = None
    try:
        if "latency" in wanted:
            latest = whole.measure_latency(deployment, RATE, seconds, 0)
            yield latency_report("with nothing before", latest)
        if "whole" in wanted:
            whole.measure_throughput(here, deployment, submissions // WARM, "warm")
            yield throughput_report(whole.measure_throughput(here, deployment, submissions))
        if wanted >= {"whole", "latency"}:
            latest = whole.measure_latency(deployment, RATE, seconds, 1)
            yield latency_report("after that backlog", latest)
    finally:
        deployment.stop()
    return latest


def latency_report(when: str, found: whole.Latency) -> Iterable[str]:
    yield from ("", f"## Latency at {RATE} submissions/s, {when}, merging off", "")
    yield (
        f"Submission sent to message read, read-committed, over six transactions: p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms, "
        f"longest {found.most:.0f} ms ({found.messages:,} messages)."
    )


def chain_report(found: whole.Latency, pipeline: whole.Latency | None) -> Iterable[str]:
    """Report the latency of bare hops, and how many times as long the pipeline took just before."""
    yield from ("", f"## Six transactional hops with nothing in them, at {RATE} records/s", "")
    yield (
        f"Record sent to record read, read-committed: p50 {found.p50:.0f} ms, p99 {found.p99:.0f} ms, longest {found.most:.0f} ms "
        f"({found.messages:,} records)."
    )
    if pipeline is not None:
        yield f"The pipeline just before took {pipeline.p50 / found.p50:.2f} times as long at p50, {pipeline.p99 / found.p99:.2f} at p99."


def throughput_report(found: whole.Throughput) -> Iterable[str]:
    yield from ("", "## The whole pipeline, JSON submissions to messages", "")
    yield (
        f"{found.submissions:,} submissions in {found.seconds:.1f} s: **{found.rate:,.0f} a second**. They cost {found.total:.1f} CPU "
        f"seconds for 100,000, so that two cores with nothing else to do would carry {2e5 / found.total:,.0f} a second."
    )
    yield from ("", "| process | CPU s | most memory, MiB |", "|---|---|---|")
    for name, cpu in found.cpu.items():
        yield f"| {name} | {cpu:.2f} | {f'{found.memory[name]:.0f}' if name in found.memory else ''} |"


if __name__ == "__main__":
    typer.run(main)
