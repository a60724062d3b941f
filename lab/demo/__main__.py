"""``python -m lab.demo``: shows a first sync and keeps running; ``--once`` goes on to a delta and ends."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lab.demo.changes import change_everything
from lab.demo.scene import Scene
from lab.demo.summary import Summary
from lab.errors import LabError
from lab.portal_client import Document, wait_for
from lab.stack import ADMIN, ROOT

FIRST_CYCLE_SECONDS = 300.0
# One interval of two minutes, the cycle itself, and some room on a busy machine.
DELTA_SECONDS = 300.0


def main(arguments: list[str]) -> int:
    """Run the demo; 0 when all went well, 1 with one sentence when it did not."""
    parser = argparse.ArgumentParser(prog="lab.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="change AD, verify the next cycle, and end")
    options = parser.parse_args(arguments)
    # A stop from outside ends the demo like Ctrl-C does: with every child stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    scene = Scene.at(ROOT / "var" / "demo")
    try:
        return _run(scene, console, once=options.once)
    except LabError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    except KeyboardInterrupt:
        console.print("Stopping.")
        return 0
    finally:
        scene.tear_down()


def _run(scene: Scene, console: Console, *, once: bool) -> int:
    summary = Summary()
    began = time.monotonic()
    _first_cycle(scene, console, summary)
    summary.seconds_until_in_sync = round(time.monotonic() - began, 1)
    summary.count(scene.client)
    summary.show(console)
    _tell_address(scene, console)
    if not once:
        console.print("Press Ctrl-C to stop everything.")
        _wait_for_the_end(scene)
        return 0
    _delta(scene, console, summary)
    summary.count(scene.client)
    summary.write(scene.directory / "summary.json")
    return _verdict(summary, console)


def _first_cycle(scene: Scene, console: Console, summary: Summary) -> None:
    with _progress(console) as progress:
        task = progress.add_task("Starting", total=None)
        scene.set_up(lambda text: progress.update(task, description=text))

        def settled() -> Document | None:
            cycles = list(scene.client.all("cycles/", job=str(scene.job["id"])))
            if not cycles:
                return None
            last = cycles[-1]
            progress.update(task, description=_describe(last))
            _refuse_failure(last)
            return last if last["step"] == "done" else None

        cycle = wait_for(settled, "The first cycle", seconds=FIRST_CYCLE_SECONDS)
        progress.update(task, description="Everyone is in the cloud directory")
    summary.seconds_initial_cycle = _seconds(cycle)


def _describe(cycle: Document) -> str:
    return (
        f"Initial cycle, {cycle['step']}: {cycle['count_imported']} read, "
        f"{cycle['count_exported']} of {cycle['count_planned']} changes written"
    )


def _refuse_failure(cycle: Document) -> None:
    if cycle["step"] == "failed":
        raise LabError("LabCommandFailed", f"The cycle failed: {cycle['error_code']} {cycle['error_detail']}")


def _delta(scene: Scene, console: Console, summary: Summary) -> None:
    with _progress(console) as progress:
        task = progress.add_task("Changing Active Directory", total=None)
        with scene.forest.connect() as connection:
            pending = change_everything(connection, scene.company)
        progress.update(task, description="Waiting for the next scheduled cycle")
        began = time.monotonic()

        def all_arrived() -> bool:
            for expectation in [one for one in pending if one.arrived(scene.client)]:
                summary.verified.append(expectation.what)
                pending.remove(expectation)
            return not pending

        with suppress(LabError):
            wait_for(all_arrived, "Every change", seconds=DELTA_SECONDS, every=0.5)
        summary.seconds_until_changes_arrived = round(time.monotonic() - began, 1)
        summary.missing = [expectation.what for expectation in pending]
    wrote = [one for one in scene.client.all("cycles/", job=str(scene.job["id"])) if one["kind"] == "delta"]
    ended = [one for one in wrote if one["count_exported"] and one["ended_at"]]
    summary.seconds_delta_cycle = _seconds(ended[0]) if ended else None


def _verdict(summary: Summary, console: Console) -> int:
    for what in summary.verified:
        console.print(f"[green]✓[/green] {what}")
    for what in summary.missing:
        console.print(f"[red]✗ {what} did not arrive[/red]")
    return 1 if summary.missing else 0


def _seconds(cycle: Document) -> float:
    started, ended = (datetime.fromisoformat(cycle[name]) for name in ("started_at", "ended_at"))
    return round((ended - started).total_seconds(), 2)


def _tell_address(scene: Scene, console: Console) -> None:
    password = Path(scene.stack.password_file).read_text(encoding="utf-8").strip()
    console.print(f"Console:  {scene.stack.console_url}/admin/")
    console.print(f"User:     {ADMIN}")
    console.print(f"Password: {password}", highlight=False)


def _wait_for_the_end(scene: Scene) -> None:
    while scene.honcho is not None and scene.honcho.running:
        time.sleep(1)
    raise LabError("LabServerDied", "Isthmus ended by itself; see var/demo/isthmus.log.")


def _progress(console: Console) -> Progress:
    return Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
