"""Clients in Node in a version that a scenario states: resolved once, frozen with hashes, and what really runs."""

import json
from pathlib import Path

import pytest

from lab.errors import EnvironmentLacks
from lab.functions import definition, node, program
from lab.functions.program import BUILD_BOUND
from tests.functions.support import Hall, lacks
from tests.functions.versions import real_client_version
from tests.run.command import thawlab

CLIENTS = definition("undici").presets.parents[1]


@pytest.fixture(autouse=True)
def npm() -> None:
    if why := lacks(definition("undici")):
        pytest.skip(why)


@pytest.mark.timeout(BUILD_BOUND)
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("stated", "begins"), [("undici@6", "6."), ("axios@1.6", "1.6."), ("got@14", "14.")])
async def test_the_version_that_is_stated_is_the_one_that_runs(stated: str, begins: str, hall: Hall) -> None:
    warm = await hall.warm(stated)
    version = real_client_version(warm.defined)
    assert version.startswith(begins)
    assert warm.first.versions.client == f"{warm.defined.package} {version}"
    assert warm.first.only.outcome == "ok"


def test_the_registry_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "BUILDS", tmp_path)
    monkeypatch.setattr(node, "BUILDS", tmp_path)
    folder = CLIENTS / "undici"
    stated, lock = node.frozen("undici_6", "undici", "6", folder)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")  # nobody is there
    assert node.frozen("undici_6", "undici", "6", folder) == (stated, lock)
    locked = json.loads(lock)["packages"]["node_modules/undici"]
    assert locked["version"].startswith("6.")
    assert "integrity" in locked
    assert b"resolved" not in lock


def test_a_version_that_does_not_exist_is_said_in_two_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "BUILDS", tmp_path)
    monkeypatch.setattr(node, "BUILDS", tmp_path)
    with pytest.raises(EnvironmentLacks, match=r"undici 99 is not to be had here: No matching version") as caught:
        node.frozen("undici_99", "undici", "99", CLIENTS / "undici")
    assert len(str(caught.value).splitlines()) == 2


def test_a_part_of_node_has_no_versions() -> None:
    done = thawlab("matrix", "--client", "node-http@18")
    assert done.returncode == 2
    assert "comes with its language's runtime" in done.stderr


def test_released_versions_are_in_order_without_pre_releases() -> None:
    listed = definition("got").released
    assert listed is not None
    known = listed()
    assert known.index("9.6.0") < known.index("11.8.6") < known.index("14.6.6")
    assert not [version for version in known if "-" in version]
