"""`report.html`: one file that holds everything, without scripts and without outside resources."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lab.report import wording
from lab.report.run import status
from lab.report.run.curve import Curve
from lab.report.run.curve import draw as draw_curve
from lab.report.run.diff import code_change
from lab.report.run.drawing import Drawing, draw
from lab.report.run.lanes import lanes
from lab.report.run.timeline import Moment, moments
from lab.report.wording import plain
from lab.runs.finished import FinishedRun, Told
from lab.verdict.results import ArmResult, ScenarioResult

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class ArmPage:
    """What the template shows of one arm."""

    anchor: str
    result: ArmResult
    repeat: int
    moments: tuple[Moment, ...]
    drawing: Drawing | None
    difference: tuple[tuple[str, str], ...]
    """Lines of the difference from the bug's code, each with its kind."""
    open: bool


@dataclass(frozen=True, slots=True)
class ScenarioPage:
    """What the template shows of one scenario."""

    told: Told
    result: ScenarioResult
    arms: tuple[ArmPage, ...]
    curve: Curve | None


def render(run: FinishedRun) -> str:
    """The whole file."""
    template = environment(TEMPLATES).get_template("report.html.j2")
    pages = [_scenario(told, number) for number, told in enumerate(run.told, start=1)]
    return template.render(results=run.results, pages=pages)


def _scenario(told: Told, number: int) -> ScenarioPage:
    arms = tuple(_arm(told, arm, f"s{number}-{index}") for index, arm in enumerate(told.result.arms, start=1))
    sweep = told.result.sweep
    return ScenarioPage(told, told.result, arms, draw_curve(sweep) if sweep else None)


def _arm(told: Told, arm: ArmResult, anchor: str) -> ArmPage:
    events = told.happened(arm)
    change = code_change(told, arm) if arm.role in ("fix", "non-fix") else None
    return ArmPage(
        anchor=anchor,
        result=arm,
        repeat=told.repeat_shown(arm),
        moments=tuple(moments(events)),
        drawing=draw(lanes(events)),
        difference=tuple((_kind(line), line) for line in (change or "").splitlines()),
        open=arm in (told.bug, told.fix) or arm.verdict not in ("pass", "skipped"),
    )


def _kind(line: str) -> str:
    """Which part of a unified difference a line is."""
    if line.startswith(("---", "+++", "@@")):
        return "place"
    return {"+": "added", "-": "removed"}.get(line[:1], "same")


@cache
def environment(*folders: Path) -> Environment:
    """Templates of these folders; what they show is escaped, and a name that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.globals |= {"wording": wording, "status": status}
    made.filters["prose"] = prose
    return made


def _finalize(value: object) -> object:
    """Text from outside can hold control characters, which browsers show in different ways."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def prose(text: str) -> Markup:
    """A scenario's text as paragraphs; `backticks` are code."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", plain(text)) if part.strip()]
    marked = [re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(part))) for part in paragraphs]
    # The text is escaped above; only the tags written here are markup.
    return Markup("".join(f"<p>{part}</p>" for part in marked))
