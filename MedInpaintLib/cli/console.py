"""What the commands print: a bar on a terminal, JSON lines on request, errors as one line."""

from __future__ import annotations

import enum
import math
import sys
from collections.abc import Callable
from typing import Any

import typer

from ..job import Emit, guarded, print_event


class ProgressStyle(str, enum.Enum):
    """How progress is shown; auto is a bar on a terminal and nothing elsewhere."""

    auto = "auto"
    bar = "bar"
    json = "json"
    none = "none"


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
        typer.echo(f"Warning: {event['message']}", err=True)
    elif kind == "error":
        typer.echo(f"Error: {event['message']}", err=True)
    elif kind == "cancelled":
        typer.echo(event["message"], err=True)
    elif kind == "table":
        typer.echo(event["text"])
    elif kind == "result":
        typer.echo(describe(event["output"], event["report"]))


def describe(output: str, report: dict[str, Any]) -> str:
    """Describe a finished job in three lines, or with the table that it made."""
    if "rows" in report:
        return f"{report['text']}\n{output}"
    return _fill(output, report) if "hole" in report else _estimate(output, report)


def _estimate(output: str, report: dict[str, Any]) -> str:
    sources = ", ".join(report["images"])
    return (
        f"{output}\n"
        f"  {report['target']} estimated from {sources} by {report['model']}; units: {report['units']}\n"
        f"  {report['seconds']['total']:.2f} s. {report['trust']}"
    )


def _fill(output: str, report: dict[str, Any]) -> str:
    hole = report["hole"]
    why = f" ({report['reason']})" if report["reason"] else ""
    parts = f"{hole['components']} part{'s' if hole['components'] != 1 else ''}"
    # A film has no volume.
    size = (
        f"{hole['voxels']} pixels"
        if hole["volume_ml"] is None
        else f"{hole['voxels']} voxels, {hole['volume_ml']:.2f} ml"
    )
    checked = report.get("self_check")
    return (
        f"{output}\n"
        f"  {report['method']}{why}\n"
        f"  {size} in {parts}, {report['seconds']['total']:.2f} s. "
        f"{report['trust']}"
    ) + ("\n" + self_check_table(checked) if checked else "")


def self_check_table(checked: dict[str, Any]) -> str:
    """Format the scores on the trial holes as a table, best first."""
    scores = sorted(checked["methods"].items(), key=lambda item: -(item[1]["psnr"]["mean"] or math.inf))
    width = max(len(name) for name, _ in scores)
    lines = [f"  Self-check on {checked['holes']} holes like this one in healthy tissue, {checked['range']}:"]
    lines.append(f"  {'method':<{width}}  {'PSNR dB':>12}  {'SSIM':>13}  {'MAE':>15}  {'s':>6}")
    for name, spreads in scores:
        psnr, ssim, mae = (spread(spreads[metric], digits) for metric, digits in (("psnr", 2), ("ssim", 3), ("mae", 3)))
        lines.append(f"  {name:<{width}}  {psnr:>12}  {ssim:>13}  {mae:>15}  {spreads['seconds']:>6.2f}")
    lines += [f"  {name} could not be tried: {why}" for name, why in checked["left_out"].items()]
    return "\n".join(lines)


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
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    later: list[dict[str, Any]] = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting", total=1.0)

        def emit(event: dict[str, Any]) -> None:
            if event["event"] == "progress":
                bar.update(task, completed=event["fraction"], description=event["stage"])
            elif event["event"] == "cancelled":  # the last event, and the process may be ended after it
                bar.stop()
                show(event)
            else:
                later.append(event)

        code = guarded(lambda: work(emit), emit)
    for event in later:
        show(event)
    return code
