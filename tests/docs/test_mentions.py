"""What the pages mention is there: links, files, make targets, commands with their options, modules."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from lab.cli.main import cli
from tests.docs.pages import PAGES, ROOT, SHELLS, anchors, fences, inline_code, links
from upstream_server.cli import main as upstream_cli

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
FOLDERS = ("docs/", "lab/", "lambda_app/", "scenarios/", "tests/", "upstream_server/")
OTHERS_OPTIONS = {"--endpoint-url", "--rm"}
"""Of the AWS CLI and of Docker."""

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands(page: Path) -> Iterator[list[str]]:
    """Every command line of a page, as words, without variables before it."""
    lines = [line for fence in fences(page) if fence.language in SHELLS for line in fence.commands]
    for line in [*lines, *inline_code(page), *_scripts(page)]:
        for part in re.split(r"\|\|?|&&|;", line):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:
                continue  # no command: a lone quotation mark
            if words:
                yield words


def _scripts(page: Path) -> Iterator[str]:
    """The commands of a CI job's YAML."""
    for fence in fences(page):
        if fence.language == "yaml":
            yield from re.findall(r"^\s+- (make .*|\S*thawlab .*)$", fence.text, flags=re.M)


def thawlab_calls(page: Path) -> Iterator[list[str]]:
    """Arguments of every call of the lab's command, however it is made."""
    for words in commands(page):
        if words[0] in ("thawlab", ".venv/bin/thawlab"):
            yield words[1:]
        elif words[:3] == ["python", "-m", "lab"]:
            yield words[3:]
        elif words[:3] == ["docker", "compose", "run"] and "lab" in words:
            yield words[words.index("lab") + 1 :]
        elif words[0] == "make":
            for assignment in words[1:]:
                name, _, value = assignment.partition("=")
                if name == "ARGS" and words[1] in ("scenario", "scenarios"):
                    yield ["run", *shlex.split(value)]


def check(command: click.Command, arguments: list[str]) -> None:
    """Parse a command line and run nothing; raises ClickException for what the command does not know."""
    if not arguments:
        return  # the name of the command alone
    context = command.make_context(command.name, [*arguments])
    if isinstance(command, click.Group):
        _, subcommand, rest = command.resolve_command(context, arguments)
        assert subcommand is not None
        if not rest:
            return  # a page speaks of the command
        subcommand.make_context(subcommand.name, rest, parent=context)


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


@each_page
def test_every_file_is_there(page: Path) -> None:
    for code in inline_code(page):
        if code.startswith(FOLDERS) and re.fullmatch(r"[\w./-]+", code):
            assert (ROOT / code).exists(), code


@each_page
def test_every_make_target_is_there(page: Path) -> None:
    for words in commands(page):
        if words[0] == "make":
            named = [word for word in words[1:] if "=" not in word]
            assert set(named) <= TARGETS, words


@each_page
def test_every_call_of_the_lab_is_one_that_it_knows(page: Path) -> None:
    for arguments in thawlab_calls(page):
        check(cli, arguments)


def test_the_calls_are_really_looked_at() -> None:
    found = [call for page in PAGES for call in thawlab_calls(page)]
    assert ["run", "seed-reset", "--predict"] in found
    assert ["run", "seed-reset"] in found
    with pytest.raises(click.NoSuchOption):
        check(cli, ["run", "seed-reset", "--predicted"])
    with pytest.raises(click.UsageError):
        check(cli, ["walk"])


@each_page
def test_every_call_of_the_upstream_is_one_that_it_knows(page: Path) -> None:
    for words in commands(page):
        if words[:3] == ["python", "-m", "upstream_server"]:
            check(upstream_cli, words[3:])


@each_page
def test_every_module_that_is_run_is_there(page: Path) -> None:
    for words in commands(page):
        if words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2]) is not None, words


@each_page
def test_every_option_is_one_of_some_command(page: Path) -> None:
    known = {option for command in cli.commands.values() for param in command.params for option in param.opts}
    for code in inline_code(page):
        if code.startswith("--"):
            assert code.split()[0] in known | OTHERS_OPTIONS, code


@each_page
def test_a_page_speaks_of_the_project_alone(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"/work/|/home/|/root/|/tmp/|pypi|npmjs|docker\.io|ghcr\.io|localhost:5000", text)
