"""Without Node these tests are skipped, but not where a CI job would then check nothing."""

import os

import pytest

from lab.backends.present import checks


@pytest.fixture(autouse=True)
def node() -> None:
    if checks()["node"].present():
        return
    why = "node and npm are not installed"
    if os.environ.get("CI"):
        pytest.fail(f"CI is set, so this must run, but {why}", pytrace=False)
    pytest.skip(why)
