"""docs/clients.md: notes are checked, claims are compared with cells, and every client's part is whole."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from lab.errors import UsageError
from lab.functions import DEFINITIONS
from lab.plan.cells import Cell
from lab.report.matrix import clients
from lab.report.matrix.measured import LONGEST_ERROR, Measured, check, scrubbed
from lab.report.matrix.notes import Claim, Notes, read, read_all
from lab.report.pages import BEGIN, END
from lab.tools.clients import PAGE, main
from lab.verdict.matrix import Matrix
from tests.report import matrix_sample as sample

FILES = [defined.notes for defined in DEFINITIONS.values() if defined.notes is not None]
SOURCE = "https://example.com/source"
GOOD = f"""\
client: aiohttp
library: aiohttp
homepage: https://example.com
idle: {{says: 15 seconds., source: {SOURCE}}}
checkout: {{says: Its age., source: {SOURCE}}}
clock: {{says: The monotonic clock., source: {SOURCE}}}
retries: {{says: A GET | once., source: {SOURCE}}}
safe: A limit, see `keepalive_timeout`.
claims:
- says: A POST is not tried again.
  source: {SOURCE}
  preset: seed
  request: POST
  death: vanish
  outcome: [reset]
remarks:
- With <b> and `<b>`.
"""


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return read(write(tmp_path, GOOD))


def write(folder: Path, text: str) -> Path:
    path = folder / "aiohttp.yaml"
    path.write_text(text)
    return path


def claim(outcome: str, **changes: str) -> Claim:
    values = {"says": "It is so.", "source": SOURCE, "preset": "seed", "request": "POST", "death": "vanish"}
    return Claim.model_validate(values | changes | {"outcome": [outcome]})


def section(text: str, client: str) -> str:
    return text.partition(f"\n## {client}\n")[2].partition("\n## ")[0]


# Notes


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_of_notes_is_valid_and_names_what_there_is(path: Path) -> None:
    notes = read(path)
    assert notes.client in DEFINITIONS
    for stated in notes.claims:
        assert stated.preset in DEFINITIONS[notes.client].in_matrix, stated.says
        link = "lost" if stated.death.endswith("-lost") else "delivered"
        death = stated.death.removesuffix("-lost")
        shape = next(iter(DEFINITIONS[notes.client].shapes))
        Cell.parse(
            f"{notes.client}/{shape}/{stated.preset}/{death}/{link}/{stated.request}/1/plain/event-first/interrupted"
        )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("safe: A limit", "sure: A limit", r":\d+: safe: Field required"),
        ("remarks:", "remark:", r":16: remark: Extra inputs are not permitted"),
        ("  death: vanish", "  death: vanished", r":14: claims\.0\.death"),
        ("outcome: [reset]", "outcome: [rest]", r":15: claims\.0\.outcome\.0"),
        (f"  source: {SOURCE}", "  source: http://example.com", r":11: claims\.0\.source"),
        ("library: aiohttp", "library: [aiohttp", r":\d+: this is not YAML"),
        ("library: aiohttp", "client: aiohttp", r":\d+: this is not YAML"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(before: str, after: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace(before, after, 1))
    with pytest.raises(UsageError, match=re.escape(str(path)) + message) as caught:
        read(path)
    assert len(str(caught.value).splitlines()) <= 2


def test_a_client_has_one_file(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "other.yaml").write_text(GOOD)
    with pytest.raises(UsageError, match="a second file for the client aiohttp"):
        read_all(tmp_path.glob("*.yaml"))


# Beside what was measured


def test_a_claim_is_compared_with_its_cell() -> None:
    client = Measured([sample.small()]).of("aiohttp")
    assert check(claim("reset"), client).agrees is True
    assert check(claim("ok"), client).agrees is False
    assert check(claim("ok", request="GET"), client).words == {"sync": "ok, sent again"}
    assert check(claim("ok", preset="liveness"), client).agrees is None


def test_a_claim_holds_only_if_it_holds_in_every_shape() -> None:
    found = check(claim("eof", death="fin"), Measured([sample.small()]).of("aiohttp"))
    assert (found.agrees, dict(found.words)) == (False, {"sync": "eof", "loop": "ok"})


def test_what_is_inconclusive_confirms_nothing() -> None:
    client = Measured([sample.matrix(sample.unmeasured("inconclusive"))]).of("aiohttp")
    assert check(claim("reset"), client).agrees is None


def test_of_two_matrices_the_first_that_measured_a_cell_speaks() -> None:
    first = sample.matrix(sample.cell("reset"), sample.unmeasured("inconclusive", mode="fin"))
    second = sample.matrix(sample.cell(), sample.cell("eof", mode="fin"), sample.cell("reset", mode="rst", link="lost"))
    found = Measured([first, second]).of("aiohttp")
    words = [found.find("seed", death)[0].word for death in ("vanish", "fin", "rst-lost")]
    assert words == ["reset", "eof", "reset"]


def test_the_measured_column(notes: Notes) -> None:
    text = section(clients.render([sample.small()], {"aiohttp": notes}), "aiohttp")
    assert "`default`: not used after 7m; a new one was opened" in text
    assert "`seed`, the dead connection: sync: used after fin, vanish, blackhole; loop: not used after fin" in text
    assert "`sane`, vanish after 7m frozen: ok (event-first, thaw-first)" in text
    assert "reset (POST, POST with a key, GET with 3 stale), ok, sent again (GET)" in text
    assert "eof (POST), twice (GET), eof×2 (GET with 3 stale)" in text
    assert "Measured, `sane`: ok, once, in all of its 2 cells." in text
    assert "Measured: aiohttp 1.2.3, Python 3.13.5." in text


def raced(*outcomes: str, **axes: Any) -> list[Matrix]:
    """A run each, which found this in a cell that races."""
    return [sample.matrix(sample.cell(outcome, race=sample.WRITES, **axes)) for outcome in outcomes]


def test_of_a_race_every_run_speaks(notes: Notes) -> None:
    text = clients.render(raced("reset", "eof", "reset"), {"aiohttp": notes})
    assert r"| [aiohttp](#aiohttp) | – | – | ❌ reset or eof\*a / – | – | – | – |" in text
    part = section(text, "aiohttp")
    assert r"`seed`, vanish: reset or eof\*a (POST)" in part
    assert r"`seed`, the dead connection: used after vanish\*a" in part
    assert rf"- `{sample.RESET}`: reset, after vanish\*a" in part
    assert rf"- `{sample.RESET}`: eof, after vanish\*a" in part
    assert r"**Measured:** reset or eof\*a." in part, "the claim says reset"
    assert text.count(sample.WRITES) == 1


def test_of_a_race_that_came_out_the_same_another_run_may_differ(notes: Notes) -> None:
    text = clients.render(raced("reset", "reset"), {"aiohttp": notes})
    assert r"❌ reset\*a / –" in text
    assert r"Measured: reset\*a (`seed`, POST, vanish)." in text


def test_a_cell_of_two_runs_is_one_cell(notes: Notes) -> None:
    assert "\nMeasured: 1 cells in process sandboxes" in clients.render(raced("reset", "eof"), {"aiohttp": notes})


def test_signs_of_a_race_that_may_succeed(notes: Notes) -> None:
    assert r"| ❌ reset or ✅ ok\*a / – |" in clients.render(raced("reset", "ok"), {"aiohttp": notes})


def test_a_race_where_one_run_calls_it_so(notes: Notes) -> None:
    """An earlier matrix may not have known the reason."""
    text = clients.render([sample.matrix(sample.cell("reset")), *raced("eof")], {"aiohttp": notes})
    assert r"❌ reset or eof\*a" in text


def test_where_nothing_races_the_first_run_speaks(notes: Notes) -> None:
    text = clients.render([sample.matrix(sample.cell(outcome)) for outcome in ("reset", "eof")], {"aiohttp": notes})
    assert "❌ reset / –" in text
    assert "A star marks" not in text


def test_a_safe_preset_that_was_lucky_is_not_called_certain() -> None:
    lucky = raced("ok", preset="sane")
    assert Measured(lucky).of("aiohttp").sane() == "ok, once, in all of its 1 cells, 1 of which race*a"
    both = raced("ok", "eof", preset="sane")
    assert Measured(both).of("aiohttp").sane() == "ok, once, in 0 of its 1 cells (ok or eof*a: vanish)"


def test_where_documentation_and_measurement_differ_both_are_shown(notes: Notes) -> None:
    text = section(clients.render([sample.small()], {"aiohttp": notes}), "aiohttp")
    assert f"- ✅ A POST is not tried again. ([source]({SOURCE})) Measured: reset (`seed`, POST, vanish)." in text
    wrong = notes.model_copy(update={"claims": (claim("ok"), claim("ok", preset="liveness"))})
    text = section(clients.render([sample.small()], {"aiohttp": wrong}), "aiohttp")
    assert "- ❌ **Documentation says:** It is so." in text
    assert "So `seed`, POST, vanish: ok. **Measured:** reset." in text
    assert "- ⏸️ It is so." in text


def test_a_preset_that_is_not_safe_is_not_called_so() -> None:
    bad = sample.matrix(sample.cell(preset="sane"), sample.cell("reset", preset="sane", method="GET"))
    found = Measured([bad]).of("aiohttp").sane()
    assert found == "ok, once, in 1 of its 2 cells (reset: GET vanish)"
    twice = sample.matrix(sample.cell(preset="sane", mode="executed-fin", executions=2))
    assert "0 of its 1 cells (twice: executed-fin)" in Measured([twice]).of("aiohttp").sane()


def test_an_error_is_told_once_with_the_deaths_it_is_shown_for() -> None:
    errors = Measured([sample.small()]).of("aiohttp").errors()
    assert (sample.RESET, "reset", ["vanish"]) in errors
    assert ("ServerDisconnectedError: Server disconnected", "eof", ["fin"]) in errors


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ('Post "http://127.0.0.1:34577/orders": EOF', 'Post "http://UPSTREAM/orders": EOF'),
        ("read tcp 127.0.0.1:56874->127.0.0.1:34577: read", "read tcp HOST:PORT->HOST:PORT: read"),
        (
            "Connect to https://localhost:1234 [localhost/127.0.0.1] failed",
            "Connect to http://UPSTREAM [HOST/HOST]",
        ),
        (
            "HTTPConnectionPool(host='10.1.2.3', port=4711): Read timed out. (read timeout=1.5)",
            "host='HOST', port=PORT",
        ),
        ("Task timed out after 4.50 seconds", "Task timed out after ... seconds"),
        ("<Connection object at 0x7f00aabbccdd>: closed", "<Connection object at 0x...>: closed"),
        ("two\nlines\x1b[31m", "two lines\N{REPLACEMENT CHARACTER}[31m"),
        ("x" * 500, "x" * LONGEST_ERROR + "..."),
    ],
)
def test_what_differs_from_run_to_run_is_left_out_of_errors(error: str, text: str) -> None:
    assert text in scrubbed(error)


# The page


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_client_with_notes_has_its_part(path: Path) -> None:
    notes = read(path)
    measured = sample.matrix(
        sample.cell("reset", client=notes.client), sample.cell(client=notes.client, preset="default")
    )
    text = section(clients.render([measured], {notes.client: notes}), notes.client)
    assert text.count("- ✅") + text.count("- ❌") + text.count("- ⏸️") == len(notes.claims)
    snippet = text.partition("<details>")[2].partition("</details>")[0]
    fence = next(token for token in MarkdownIt("commonmark").parse(snippet) if token.type == "fence")
    file = DEFINITIONS[notes.client].preset_path("sane").read_text()
    assert fence.content.strip("\n") in file
    assert not re.match(r'"""|//|/\*', fence.content)
    assert len(file.splitlines()) - len(fence.content.splitlines()) < 20


def test_whatever_a_text_holds_the_page_stays_whole(notes: Notes) -> None:
    text = clients.render([sample.hostile()], {"aiohttp": notes})
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert {token.content.strip() for token in tokens if token.type == "html_block"} == {
        "<details>\n<summary><code>lambda_app/python/clients/aiohttp/presets/sane.py</code></summary>",
        "</details>",
    }
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<br>"}
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings == ["All clients, as they come", "All clients, kept without a limit", "aiohttp"]


def test_the_command_writes_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Clients\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    for name, matrix in (("one", sample.small()), ("two", sample.matrix(sample.cell(client="urllib3")))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "matrix.json").write_text(matrix.to_json())
    names = [str(tmp_path / "one"), str(tmp_path / "two" / "matrix.json")]
    done = CliRunner().invoke(main, [*names, "--page", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert text.startswith(f"# Clients\n\n{BEGIN}\n## All clients")
    assert text.endswith(f"{END}\n\nafter\n")
    assert "\nold\n" not in text
    assert {"## aiohttp", "## urllib3"} <= set(text.splitlines())


@pytest.mark.parametrize("content", ["{}", "not json", json.dumps({"schema": "thawlab.matrix/2"})])
def test_what_is_no_matrix_is_told_in_a_line(content: str, tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    file.write_text(content)
    for name in (str(file), str(tmp_path), str(tmp_path / "none.json"), str(tmp_path / "none")):
        done = CliRunner().invoke(main, [name])
        assert done.exit_code == 2
        assert len(done.output.strip().splitlines()) <= 2


def test_the_page_in_the_documentation_has_every_client_that_has_notes() -> None:
    text = PAGE.read_text()
    assert text.index(BEGIN) < text.index(END)
    assert {f"## {client}" for client in read_all()} <= set(text.splitlines())
