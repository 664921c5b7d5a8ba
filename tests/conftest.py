"""Tests marked `docker` need an engine: skipped with the reason where none answers, failed where `CI` is set."""

import gc
import os
import signal
import warnings
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from lab.backends.docker.engine import connect
from lab.backends.registry import discover
from lab.errors import EnvironmentLacks
from lab.functions import DEFINITIONS
from tests import needs
from tests.functions.defined_here import LIES, defined_here

WATCHED = (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""SIGPIPE first of all: Python ignores it, and if a test lets it be, the next write into a closed connection kills."""

settings.register_profile("lab", derandomize=True, deadline=None, database=None, max_examples=40)
settings.register_profile("fast", derandomize=True, deadline=None, database=None, max_examples=10)
settings.register_profile("search", deadline=None, max_examples=1000)
discover()  # a scenario may name every kind of sandbox
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "lab"))


@cache
def engine_lacks() -> str | None:
    """Why no engine can be used; None if one answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the SDK leaves its socket open where nothing answers
        try:
            connect().close()
        except EnvironmentLacks as error:
            return str(error)
        finally:
            gc.collect()
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    needs.mark(items)
    if hasattr(config, "workerinput"):  # one of several workers, which all sort alike
        needs.longest_first(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    needs.watch(item)
    try:
        return (yield)
    finally:
        needs.watch(None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("docker") is None:
        return
    if why := engine_lacks():
        if os.environ.get("CI"):
            pytest.fail(f"CI is set, so this must run, but {why}", pytrace=False)
        pytest.skip(why)


@pytest.fixture(autouse=True)
def signals_are_as_before() -> Iterator[None]:
    """A test that leaves a signal's handler changed fails itself, instead of ending another test's process later."""
    before = {number: signal.getsignal(number) for number in WATCHED}
    yield
    changed = {
        number.name: signal.getsignal(number) for number in WATCHED if signal.getsignal(number) != before[number]
    }
    for number in WATCHED:
        signal.signal(number, before[number])
    assert not changed, f"the test left signal handlers changed: {changed}"


@pytest.fixture
def liar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the real functions one that lies about its connections, with a preset for each lie."""
    monkeypatch.setitem(DEFINITIONS, "liar", defined_here("liar", tmp_path / "presets", LIES))
