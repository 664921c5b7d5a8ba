"""Tests marked `docker` need an engine: skipped with the reason where none answers, failed where `CI` is set."""

import gc
import os
import warnings
from functools import cache

import pytest

from lab.backends.docker.engine import connect
from lab.errors import EnvironmentLacks


@cache
def engine_lacks() -> str | None:
    """Why no engine can be used; None where one answers."""
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
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("docker") is None:
        return
    if why := engine_lacks():
        if os.environ.get("CI"):
            pytest.fail(f"CI is set, so this must run, but {why}", pytrace=False)
        pytest.skip(why)
