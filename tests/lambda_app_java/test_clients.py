"""What is Java's own: settings of a whole JVM, limits and retries of its libraries, files of a killed process."""

import asyncio
import json
import re
import tempfile
from pathlib import Path

import pytest

from lab.functions.program import BUILD_BOUND, Built
from tests.functions.support import Hall, Warm
from tests.patience import PATIENCE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(BUILD_BOUND)]

OWN_LIMIT = Path(__file__).parent / "OwnLimit.java"
RESET_WHEN_REUSED = {"at": "executed", "do": "rst", "connections": [1], "min_request": 2}


def left_behind() -> set[Path]:
    """Files in the folder for temporary ones as a JVM of a function could leave them."""
    return {file for file in Path(tempfile.gettempdir()).iterdir() if file.name.startswith(("authority", ".libaws"))}


BEFORE = left_behind()
"""Of others, from before any function of these tests was started."""


async def end_of_a_second_request(warm: Warm, hall: Hall, preset: str, **second: str) -> tuple[str, int]:
    """The outcome of a POST whose used connection is reset once it was carried out, and how often it was."""
    async with hall.door(faults=[RESET_WHEN_REUSED]) as door:
        await warm.fresh(door, preset, {"id": "a"})
        answer = await warm.invoke({"id": "b", **second})
    return answer.only.outcome, door.executed.count("b") + len(door.of("replayed", request="b"))


async def test_another_preset_in_a_jvm_that_has_read_its_settings_is_refused(hall: Hall) -> None:
    warm = await hall.warm("jdk-http")
    async with hall.door() as door:
        event = {"fresh": {"upstream_url": door.url, "preset": "sane"}}
        result = await warm.function.invoke(json.dumps(event).encode())
        document = json.loads(result.payload)
        again = await warm.invoke()
    assert result.function_error == "Unhandled"
    assert "reads jdk.httpclient.* once" in document["errorMessage"]
    assert "started with THAWLAB_PRESET=sane" in document["errorMessage"]
    assert again.sandbox == warm.first.sandbox, "the sandbox lives on, with the client that it had"


async def test_the_jdks_own_limit_is_what_its_preset_says(program: Built) -> None:
    """A release that changes it shows here."""
    command = ("--add-opens=java.net.http/jdk.internal.net.http=ALL-UNNAMED", str(OWN_LIMIT))
    asked = await asyncio.create_subprocess_exec(program.command[0], *command, stdout=asyncio.subprocess.PIPE)
    told, _ = await asyncio.wait_for(asked.communicate(), PATIENCE)
    shown = await asyncio.create_subprocess_exec(program.command[0], "-version", stderr=asyncio.subprocess.PIPE)
    _, version = await asyncio.wait_for(shown.communicate(), PATIENCE)
    feature = re.search(rb'version "(\d+)', version)
    assert feature
    assert told.decode().strip() == ("30" if int(feature[1]) >= 20 else "1200")


async def test_apaches_retry_takes_a_post_with_a_key_and_no_other(hall: Hall) -> None:
    warm = await hall.warm("apache-http")
    assert await end_of_a_second_request(warm, hall, "retry") == ("reset", 1)
    assert await end_of_a_second_request(warm, hall, "retry", idempotency_key="k") == ("ok", 2)


async def test_okhttp_sends_a_post_twice_unless_told_not_to(hall: Hall) -> None:
    warm = await hall.warm("okhttp")
    assert await end_of_a_second_request(warm, hall, "seed") == ("ok", 2)
    assert await end_of_a_second_request(warm, hall, "no_retry") == ("reset", 1)


async def test_over_tls_no_file_is_left_for_whoever_kills_it(hall: Hall) -> None:
    """Not the trust store, and not the runtime client's library."""
    warm = await hall.warm("okhttp")
    async with hall.door(tls="close-notify") as door:
        answer = await warm.fresh(door, "seed", {"id": "a"})
    assert answer.only.outcome == "ok"
    assert left_behind() <= BEFORE
