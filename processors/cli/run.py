"""`vn run`: runs stages until they are stopped."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from processors.cli.app import new_app
from processors.pipeline import PIPELINE, STAGES
from processors.runtime.errors import UsageError
from processors.runtime.run.supervise import run_stage, run_stages
from processors.runtime.run.telemetry import configure
from processors.runtime.settings import Settings
from processors.stage import Stage

app = new_app("Runs stages of the pipeline.")


@app.command()
def run(
    stages: Annotated[list[str], typer.Argument(metavar="STAGE", help=f"Any of {', '.join(PIPELINE)}; or `all`.")],
    until_idle: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0, help="Stop once nothing has been in flight for this long; timers not yet due do not count."),
    ] = None,
    leash: Annotated[int | None, typer.Option(hidden=True)] = None,
    page: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """
    Run one or more stages until SIGTERM or SIGINT.

    Start as many copies as you like, here or on other machines: they share the stage's partitions. Several stages run as one
    process each; one that is killed is restarted, one that fails ends them all, with exit code 1.
    """
    chosen = choose(stages)
    settings = Settings()
    configure(settings.log_level, settings.log_format)
    code = (
        run_stages(chosen, STAGES, settings, until_idle)
        if leash is None
        else run_stage(chosen[0], STAGES, settings, leash=leash, page=page)
    )
    if code:
        raise typer.Exit(code)


def choose(names: Sequence[str]) -> list[Stage[Any]]:
    """Return the stages with these names, each once, in pipeline order; `ingest` stands for `read` and `identify`."""
    known = {*PIPELINE, "all", *(stage.name for stages in PIPELINE.values() for stage in stages)}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"there is no stage {unknown[0]}: the stages are {', '.join(PIPELINE)}; or `all`")
    return [stage for group, stages in PIPELINE.items() for stage in stages if {"all", group, stage.name} & set(names)]
