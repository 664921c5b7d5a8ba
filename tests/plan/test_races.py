"""Which cells race: the reason is a fact of the client, and all others must come out the same."""

from dataclasses import replace

import pytest

from lab.functions import DEFINITIONS
from lab.plan.cells import WITH_BODY, Cell
from lab.plan.races import RACES, Nature, race_of

POST = Cell("requests", "sync", "default", "vanish", "delivered", "POST", 1)


def cell(client: str, method: str, mode: str = "vanish") -> Cell:
    shape = DEFINITIONS[client].usual_shape
    return Cell.parse(f"{client}/{shape}/seed/{mode}/delivered/{method}/1/plain/event-first/interrupted")


@pytest.mark.parametrize("method", WITH_BODY)
@pytest.mark.parametrize("client", DEFINITIONS)
def test_a_body_races_where_it_is_a_write_of_its_own(client: str, method: str) -> None:
    race = race_of(cell(client, method), nature=Nature(two_writes=DEFINITIONS[client].two_writes))
    assert (race is not None) == DEFINITIONS[client].two_writes
    assert race is None or "writes of their own" in race
    assert race_of(cell(client, "POST")) is None


def test_what_is_answered_before_the_second_write_does_not_race() -> None:
    assert race_of(cell("requests", "POST+json", "executed-rst")) is None
    assert race_of(cell("requests", "POST+json", "rst")) is None


def test_a_request_on_a_new_connection_has_nothing_to_race() -> None:
    raced = cell("requests", "POST+body")
    assert race_of(raced, "used") is not None
    assert race_of(raced, "replaced") is None
    told = cell("fetch", "POST", "fin")
    assert race_of(told, "replaced") is not None, "whether it is replaced is what is decided"
    assert race_of(told, "not kept") is None


@pytest.mark.parametrize(("preset", "races"), [("seed", True), ("default", False), ("sane", False)])
def test_where_the_age_is_looked_at_nothing_races_for_what_is_old(preset: str, races: bool) -> None:
    assert (race_of(replace(cell("go", "POST", "fin"), preset=preset)) is not None) == races
    assert (race_of(replace(cell("aiohttp", "POST", "fin"), tls="tls", preset=preset)) is not None) == races


def test_every_reason_is_one_line_that_a_page_can_end() -> None:
    reasons = [race.reason for race in RACES]
    assert len(set(reasons)) == len(reasons)
    assert not any("\n" in reason or reason.endswith(".") for reason in reasons)


def test_whether_a_connection_is_used_comes_before_what_happens_in_it() -> None:
    both = replace(cell("jdk-http", "POST+json"), preset="default")
    assert race_of(both, "used") == race_of(both, "replaced")


def test_a_client_of_tomorrow_says_what_it_is_like() -> None:
    """None of it is known by its name: its folder says so, and the journal of its run."""
    unknown = replace(cell("urllib3", "POST", "fin"), client="curlx")
    lost, heard = replace(unknown, link="lost"), replace(unknown, shape="loop")
    assert race_of(lost) is None
    assert race_of(heard) is None
    assert race_of(lost, nature=Nature(probed=True)) is not None
    assert race_of(heard, nature=Nature(language="node")) is not None
    assert race_of(heard, nature=Nature(language="python")) is None
    told_otherwise = replace(cell("axios", "POST", "fin"), link="lost")
    assert race_of(told_otherwise) != race_of(told_otherwise, nature=Nature(probed=False))
