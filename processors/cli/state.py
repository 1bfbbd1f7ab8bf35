"""`vn state`: the stages' whole state, to files and back."""

from pathlib import Path
from typing import Annotated

import typer

from processors.cli.app import new_app
from processors.cli.run import choose
from processors.pipeline import STAGES
from processors.runtime.run.state_export import export_state
from processors.runtime.run.state_import import import_state
from processors.runtime.settings import Settings

app = new_app("Exports and imports the stages' whole state: to another cluster, to another partition count, from a copy.")

STAGE = typer.Option("--stage", metavar="STAGE", help="Only this one; may be repeated.")


@app.command("export")
def export_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go, one per stage.")],
    *,
    stage: Annotated[list[str] | None, STAGE] = None,
) -> None:
    """
    Write every stage's state, with its timers and positions, to files.

    Stop every `vn run` first, with all inputs read (`vn run all --until-idle 5`). Only their owner can read the files; contact
    data in them is sealed with the keys of VN_KEY_FILE, which are not included.
    """
    for line in export_state(Settings(), STAGES, choose(stage or ["all"]), folder):
        typer.echo(line)


@app.command("import")
def import_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where `vn state export` wrote the files.")],
    *,
    stage: Annotated[list[str] | None, STAGE] = None,
    mirrored: Annotated[bool, typer.Option("--mirrored", help="The external topics hold exactly what was read before the export.")] = False,
) -> None:
    """
    Import exported states into topics that hold none.

    Run `vn topics create` first, with any VN_PARTITIONS; start stages and feeds afterwards. Can be repeated: if it was
    interrupted, it starts over. Refuses if a stage has decided anything since the export.
    """
    for line in import_state(Settings(), STAGES, choose(stage or ["all"]), folder, mirrored=mirrored):
        typer.echo(line)
    typer.echo("before the stages start: give them the settings (`vn policy show`) and the VN_KEY_FILE that they had, which are in no file")
