"""`--predict`: say what will happen before you see it. Being wrong is how a workshop learns."""

import sys
from typing import get_args

import click

from lab.errors import UsageError
from lab.plan.arms import Plan
from lab.scenario.words import OutcomeClass
from lab.verdict.results import Results

CHOICES: tuple[str, ...] = get_args(OutcomeClass)


def ask(plan: Plan) -> dict[str, dict[str, str]]:
    """A prediction for each arm that will run, by scenario and arm; raises UsageError if nobody answers."""
    predictions: dict[str, dict[str, str]] = {}
    will_run = {(job.scope.scenario, job.scope.arm) for job in plan.jobs}
    for named in plan.scenarios:
        click.echo(f"\n{named.scenario.title}\n{named.scenario.question}\n\n{named.scenario.story.strip()}\n")
        click.echo("How will the last request of each arm end? One of:")
        click.echo(f"  {', '.join(CHOICES)}")
        for name in plan.arms[named.name]:
            if (named.name, name) in will_run:
                arm = named.scenario.arm(name)
                timeline = ", ".join(map(str, named.scenario.setting(arm).timeline))
                predictions.setdefault(named.name, {})[name] = _answer(f"  {arm.title} ({timeline})")
    return predictions


def _answer(question: str) -> str:
    try:
        if sys.stdin is None:  # closed by the parent process
            raise click.Abort
        answer: str = click.prompt(question, type=click.Choice(CHOICES), show_choices=False, default="ok")
    except click.Abort as abort:
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise
        raise UsageError("--predict needs somebody who answers: run it in a terminal") from None
    return answer


def show(predictions: dict[str, dict[str, str]], results: Results) -> None:
    """What was predicted, beside what happened."""
    right = total = 0
    click.echo("\nYour predictions")
    for scenario in results.scenarios:
        for arm in scenario.arms:
            predicted = predictions.get(scenario.name, {}).get(arm.name)
            if predicted is None or not arm.observed:
                continue
            happened = " or ".join(sorted(arm.observed))
            hit = set(arm.observed) == {predicted}
            right, total = right + hit, total + 1
            click.echo(f"  {'right' if hit else 'WRONG'}  {arm.name}: you said {predicted}, it was {happened}")
    click.echo(f"  {right} of {total} right")
