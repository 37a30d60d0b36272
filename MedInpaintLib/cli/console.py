"""What the commands print: a bar on a terminal, JSON lines on request, errors as one line."""

from __future__ import annotations

import enum
import functools
import math
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..job import EXIT_FAILED, EXIT_INPUT, Emit, guarded, print_event
from ..report import NO_REGIONS, shares_in_words
from ..streams import emptied
from ..texts import escaped
from .regions_table import lesion_back_lines

#: The error of typer, or of click under older ones, for a wrong command line.
_UsageError: Any = typer.BadParameter.__bases__[0]


class ProgressStyle(str, enum.Enum):
    """How progress is shown; auto is a bar on a terminal and nothing elsewhere."""

    auto = "auto"
    bar = "bar"
    json = "json"
    none = "none"


#: The option of all commands that do long work.
HowToShow = Annotated[ProgressStyle, typer.Option(metavar="HOW", help="How to show progress: auto, bar, json or none.")]


class Commands(TyperGroup):
    """The group of all commands: what is wrong with the command line is one line, as any other error."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and leave with its exit code."""
        command = functools.partial(
            super().main, args, prog_name, complete_var, False, windows_expand_args=windows_expand_args, **extra
        )
        if not standalone_mode:
            return command()

        def run() -> int:
            codes: list[Any] = []
            # Commands have their own guard; here arrives what comes before and after them.
            code = guarded(lambda: codes.append(_code_of(command)), show)
            return codes[0] if codes else code

        sys.exit(emptied(run))


def _code_of(command: Callable[[], Any]) -> int:
    """Run a command, print what is wrong with its options, and return the exit code."""
    try:
        return command() or 0
    except typer.Abort:
        return EXIT_FAILED
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            # With rich, the help was printed when the error was made, and the message is empty.
            if error.message:
                typer.echo(error.message)
        else:
            show({"event": "error", "message": f"{error.format_message()} See {_help_of(error)}."})
        return EXIT_INPUT


def _help_of(error: Any) -> str:
    """Return the command that explains how the one with the error is used."""
    return f"'{error.ctx.command_path} --help'" if error.ctx else "'medinpaint --help'"


def follow(work: Callable[[Emit], None], style: ProgressStyle) -> None:
    """Run ``work(emit)``, show its events, and leave with the exit code that fits."""
    if style is ProgressStyle.json:
        raise typer.Exit(guarded(lambda: work(print_event), print_event))
    if style is ProgressStyle.bar or (style is ProgressStyle.auto and sys.stderr.isatty()):
        raise typer.Exit(_with_bar(work))
    raise typer.Exit(guarded(lambda: work(show), show))


def show(event: dict[str, Any]) -> None:
    """Print an event as a person reads it: warnings and errors on standard error, results on standard output."""
    kind = event["event"]
    if kind == "warning":
        typer.echo(f"Warning: {escaped(event['message'])}", err=True)
    elif kind == "error":
        typer.echo(f"Error: {escaped(event['message'])}", err=True)
    elif kind == "cancelled":
        typer.echo(escaped(event["message"]), err=True)
    elif kind == "table":
        say(event["text"])
    elif kind == "result":
        say(describe(event["output"], event["report"]))


def say(text: str) -> None:
    """Print a text of one or more lines on standard output."""
    typer.echo(escaped(text, keep="\n"))


def describe(output: str | Sequence[str], report: dict[str, Any]) -> str:
    """Describe a finished job in a few lines, or with the table that it made."""
    output = "\n".join(map(escaped, [output] if isinstance(output, str) else output))
    if "rows" in report:
        return f"{report['text']}\n{output}"
    if "regions" in report:
        return lesion_back_lines(output, report)
    if "edges" in report:
        return _edges(output, report)
    return _fill(output, report) if "hole" in report else _estimate(output, report)


def _estimate(output: str, report: dict[str, Any]) -> str:
    sources = ", ".join(report["images"])
    return (
        f"{output}\n"
        f"  {report['target']} estimated from {sources} by {report['model']}; units: {report['units']}\n"
        f"  {report['seconds']['total']:.2f} s. {report['trust']}"
    )


def _edges(output: str, report: dict[str, Any]) -> str:
    labels = ", ".join(f"{label}: {name}" for label, name in report["edges"].items())
    return f"{output}\n  {labels}; {report['seconds']['total']:.2f} s."


def _fill(output: str, report: dict[str, Any]) -> str:
    hole = report["hole"]
    why = f" ({report['reason']})" if report["reason"] else ""
    parts = f"{hole['components']} part{'s' if hole['components'] != 1 else ''}"
    if "volumes" in report:
        parts += f" of {len(report['volumes'])} volumes"
    # A film has no volume.
    size = (
        f"{hole['voxels']} pixel{'s' if hole['voxels'] > 1 else ''}"
        if hole["volume_ml"] is None
        else f"{hole['voxels']} voxel{'s' if hole['voxels'] > 1 else ''}, {_millilitres(hole['volume_ml'])}"
    )
    tables = [parts_table(report["parts"], _units(report)), *map(self_check_table, report.get("self_check") or [])]
    mask = report.get("mask", {"kind": "binary"})
    # A mask of two values means what it says.
    meaning = "" if mask["kind"] == "binary" else f"  Mask: {mask['kind']}, {mask['rule']}\n"
    return (
        f"{output}\n"
        f"{meaning}"
        f"  {report['method']}{why}\n"
        f"{_place(report)}"
        f"  {size} in {parts}, {report['seconds']['total']:.2f} s. "
        f"{report['trust']}"
    ) + "".join(f"\n{table}" for table in tables if table)


def _units(report: dict[str, Any]) -> tuple[str, str]:
    """Return what is counted in the parts of a report, and the unit of their depth."""
    if report["hole"]["volume_ml"] is not None:
        return "voxels", "mm"
    # A picture without a pixel size has pixels of "1 mm".
    return "pixels", "pixels" if set(report["image"]["spacing"]) == {1.0} else "mm"


def _place(report: dict[str, Any]) -> str:
    """Say where a single part lies, by the atlas, or why that is not known; the table says it of several parts."""
    unnamed = report.get("notes", {}).get(NO_REGIONS)
    words = unnamed and f"No regions are named: {unnamed}"
    if len(report["parts"]) == 1:
        named = shares_in_words(report["parts"][0].get("regions", {}))
        words = f"In {named}" if named else words
    return f"  {words}\n" if words else ""


def _millilitres(volume: float) -> str:
    return f"{volume:.2f} ml" if volume >= 0.01 else "under 0.01 ml"


#: Rows of the table of parts: the rest is in the report.
ROWS = 5


def parts_table(parts: Sequence[dict[str, Any]], units: tuple[str, str] = ("voxels", "mm")) -> str:
    """Format the worst parts as a table, those with warnings first; empty where there is one part alone."""
    if len(parts) < 2:
        return ""
    worst = parts[:ROWS]
    width = max(len("method"), *(len(part["method"]) for part in worst))
    of_volumes = "volume" in worst[0]
    volume = f"{'volume':>6}  " if of_volumes else ""
    has_regions = any(part.get("regions") for part in worst)
    wide = max(len("mostly in"), *(len(_largest(part)) for part in worst)) if has_regions else 0
    place = f"  {'mostly in':<{wide}}" if has_regions else ""
    counted, deep = units[0], f"{units[1]} deep"
    column = max(8, len(deep))
    lines = [f"  {volume}{'part':>6}  {counted:>8}  {deep:>{column}}  {'method':<{width}}{place}".rstrip()]
    for part in worst:
        depth = "-" if part["depth_mm"] is None else f"{part['depth_mm']:.1f}"
        mark = "  see the warnings" if part["warnings"] else ""
        volume = f"{part['volume']:>6}  " if of_volumes else ""
        place = f"  {_largest(part):<{wide}}" if has_regions else ""
        cells = f"{part['number']:>6}  {part['voxels']:>8}  {depth:>{column}}  {part['method']:<{width}}{place}{mark}"
        lines.append(f"  {volume}{cells}".rstrip())
    if len(parts) > ROWS:
        lines.append(f"  Worst first; all {len(parts)} parts are in the report.")
    return "\n".join(lines)


def _largest(part: dict[str, Any]) -> str:
    """Return the region that holds most of a part, or nothing."""
    return next(iter(part.get("regions", {})), "")


def self_check_table(checked: dict[str, Any]) -> str:
    """Format the scores of one kind of parts on the trial holes as a table, best first."""
    scores = sorted(checked["methods"].items(), key=lambda item: -(item[1]["psnr"]["mean"] or math.inf))
    width = max(len(name) for name, _ in scores)
    lines = [f"  {_kind(checked)} on {checked['holes']} such holes in healthy tissue, {checked['range']}:"]
    lines.append(f"  {'method':<{width}}  {'PSNR dB':>12}  {'SSIM':>13}  {'MAE':>15}  {'s':>6}")
    for name, spreads in scores:
        psnr, ssim, mae = (spread(spreads[metric], digits) for metric, digits in (("psnr", 2), ("ssim", 3), ("mae", 3)))
        lines.append(f"  {name:<{width}}  {psnr:>12}  {ssim:>13}  {mae:>15}  {spreads['seconds']:>6.2f}")
    lines += [f"  {name} could not be tried: {why}" for name, why in checked["left_out"].items()]
    return "\n".join(lines)


def _kind(checked: dict[str, Any]) -> str:
    """Say whose self-check it is: parts for which one method was chosen, by their numbers where they are few."""
    numbers = checked["parts"]
    named = ", ".join(map(str, numbers[:ROWS])) + (f" and {len(numbers) - ROWS} more" if len(numbers) > ROWS else "")
    return f"Self-check of part{'s' if len(numbers) > 1 else ''} {named}"


def spread(scores: dict[str, float | None], digits: int) -> str:
    """Format the mean ± standard deviation, or what exists of them."""
    mean, sd = scores["mean"], scores["sd"]
    if mean is None:
        return "-"
    return f"{mean:.{digits}f}" if sd is None else f"{mean:.{digits}f} ± {sd:.{digits}f}"


def _with_bar(work: Callable[[Emit], None]) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    later: list[dict[str, Any]] = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting", total=1.0)

        def emit(event: dict[str, Any]) -> None:
            if event["event"] == "progress":
                bar.update(task, completed=event["fraction"], description=escaped(event["stage"]))
            elif event["event"] == "cancelled":  # the last event, and the process may be ended after it
                bar.stop()
                show(event)
            else:
                later.append(event)

        code = guarded(lambda: work(emit), emit)
    for event in later:
        show(event)
    return code
