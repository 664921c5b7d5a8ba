"""`--predict`: say what will happen before you see it. Being wrong is how a workshop learns."""

import click

from lab.errors import UsageError
from lab.plan import Plan
from lab.verdict.results import Results

CHOICES = ("ok", "reset", "eof", "epipe", "closed-locally", "timeout")


def ask(plan: Plan) -> dict[str, dict[str, str]]:
    """A prediction for each chosen arm, by scenario and arm; raises UsageError where nobody answers."""
    predictions: dict[str, dict[str, str]] = {}
    for named in plan.scenarios:
        click.echo(f"\n{named.scenario.title}\n{named.scenario.question}\n\n{named.scenario.story.strip()}\n")
        click.echo("How will the last request of each arm end?")
        for name in plan.arms[named.name]:
            arm = named.scenario.arm(name)
            timeline = ", ".join(map(str, named.scenario.setting(arm).timeline))
            try:
                answer = click.prompt(f"  {arm.title} ({timeline})", type=click.Choice(CHOICES), default="ok")
            except click.Abort:
                raise UsageError("--predict needs somebody who answers: run it in a terminal") from None
            predictions.setdefault(named.name, {})[name] = answer
    return predictions


def show(predictions: dict[str, dict[str, str]], results: Results) -> None:
    """What was predicted, beside what happened."""
    right = total = 0
    click.echo("\nYour predictions")
    for scenario in results.scenarios:
        for arm in scenario.arms:
            predicted = predictions[scenario.name].get(arm.name)
            if predicted is None or not arm.observed:
                continue
            happened = " or ".join(sorted(arm.observed))
            hit = set(arm.observed) == {predicted}
            right, total = right + hit, total + 1
            click.echo(f"  {'right' if hit else 'WRONG'}  {arm.name}: you said {predicted}, it was {happened}")
    click.echo(f"  {right} of {total} right")
