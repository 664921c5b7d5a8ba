"""Without Go these tests are skipped, but not where a CI job would then check nothing."""

import os
import shutil

import pytest


@pytest.fixture(autouse=True)
def go() -> None:
    if shutil.which("go"):
        return
    why = "Go is not installed"
    if os.environ.get("CI"):
        pytest.fail(f"CI is set, so this must run, but {why}", pytrace=False)
    pytest.skip(why)
