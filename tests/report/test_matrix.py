"""The reports of a matrix: what is shown, at every width, whatever the functions under test wrote."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from lab.report.matrix import FORMATS, html, markdown, print_matrix, view, write_all
from lab.report.matrix.marks import Marks
from lab.report.matrix.terminal import MOST
from lab.verdict import matrix as results
from lab.verdict.matrix import Matrix
from tests.report import matrix_sample as sample

VOID = {"meta", "input", "br"}
each_matrix = pytest.mark.parametrize("name", sample.ALL)


def shown(matrix: Matrix, width: int = 80, folder: Path | None = None) -> str:
    console = Console(width=width, file=io.StringIO())
    print_matrix(matrix, folder, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# The view


def test_each_other_column_is_compared_with_the_cell_that_differs_in_it_alone() -> None:
    found = {factor.name: factor for factor in view.factors(sample.small())}
    assert list(found) == ["GET", "key", "3 stale", "TLS", "thaw-first", "uninterrupted", "shape loop"]
    assert [str(group) for group in found["GET"].groups] == [
        "aiohttp sync seed: vanish reset -> ok, executed-fin eof -> twice"
    ]
    assert [str(group) for group in found["3 stale"].groups] == [
        "aiohttp sync seed: GET vanish ok -> reset, GET executed-fin twice -> eof×2"
    ]
    assert (found["TLS"].compared, found["TLS"].changed, list(found["TLS"].groups)) == (1, 0, [])
    assert [str(group) for group in found["shape loop"].groups] == ["aiohttp loop seed: fin eof -> ok"]


def test_what_is_not_measured_changes_nothing() -> None:
    found = view.factors(sample.matrix(sample.cell("reset"), sample.unmeasured("inconclusive", method="GET")))
    assert found == []


def test_the_same_of_all_shapes_and_of_several_clients_is_said_once() -> None:
    cells = [sample.cell("reset", client="requests"), sample.cell(client="requests", method="GET")]
    cells += [sample.cell("reset", shape=shape, preset=preset) for shape in ("sync", "loop") for preset in "ab"]
    cells += [sample.cell(shape="loop", preset="a", method="GET"), sample.cell(shape="sync", preset="a", method="GET")]
    cells += [sample.cell(shape="loop", preset="b", method="GET")]
    (factor,) = (factor for factor in view.factors(sample.matrix(*cells)) if factor.name == "GET")
    assert [str(group) for group in factor.groups] == ["requests seed; aiohttp a, loop b: vanish reset -> ok"]


def test_carried_out_twice_is_told_whether_it_succeeded_or_not() -> None:
    found = view.repeated(sample.small())
    assert [str(group) for group in found.succeeded] == ["aiohttp sync seed: GET executed-fin"]
    assert [str(group) for group in found.failed] == ["aiohttp sync seed: GET 3 stale executed-fin"]


def test_the_control_has_a_column_only_where_it_did_not_succeed() -> None:
    assert view.deaths(sample.small()) == ["fin", "rst", "vanish", "blackhole", "executed-fin"]
    assert view.deaths(sample.matrix(sample.cell("reset", mode="none"), sample.cell())) == ["none", "vanish"]
    lost = sample.matrix(sample.cell(link="lost", mode="fin"), sample.cell())
    assert view.deaths(lost) == ["vanish", "fin-lost"]


# Races


def test_a_reason_has_one_letter_in_the_order_of_the_cells() -> None:
    marks = Marks.of(sample.raced().cells)
    assert marks.footnotes == [("*a", sample.READS), ("*b", sample.WRITES)]
    assert [marks.mark(cell) for cell in sample.raced().cells] == ["*a", "", "*b", "*b", "", "*a", "", "*a", ""]
    many = [sample.cell(race=f"reason {number}") for number in range(28)]
    assert [mark for mark, _ in Marks.of(many).footnotes][24:] == ["*y", "*z", "*aa", "*ab"]


def test_no_value_of_a_race_stands_without_its_mark() -> None:
    """In the grid, in what else decides, and where something was carried out twice."""
    terminal = shown(sample.raced())
    assert [line.split() for line in terminal.splitlines() if line.startswith("  seed")] == [
        ["seed", "eof*a", "unproved", "reset", "eof"]
    ]
    assert "  aiohttp seed: vanish reset -> eof*b" in terminal
    assert "  aiohttp seed: GET executed-fin *a" in terminal
    page = html.render(sample.raced())
    assert (page.count(">eof*a<"), page.count(">ok*a<")) == (2, 2), "in the grid, and in a row of its own"
    assert (page.count(">eof*b<"), page.count(">reset*b<"), page.count(">eof×2*a<")) == (1, 1, 1)
    text = markdown.render(sample.raced())
    assert r"| aiohttp 1.2.3 | seed | ❌ eof\*a | ❓ inconclusive | ❌ reset | ❌ eof |" in text
    assert r"| aiohttp 1.2.3 | sane | ✅ ok\*a | – | ✅ ok | – |" in text


def test_the_reason_of_a_race_stands_once_a_page() -> None:
    for text in in_each_format(sample.raced()):
        for reason in (sample.READS, sample.WRITES):
            assert text.count(reason) == 1
        assert "nobody has seen it" not in text
    assert not any("may differ" in text for text in in_each_format(sample.small()))


def in_each_format(matrix: Matrix) -> tuple[str, ...]:
    """The terminal, matrix.md, and the legends of matrix.html."""
    return shown(matrix, 120), markdown.render(matrix), Page(html.render(matrix)).said("dd")


def test_a_race_is_filtered_by_its_word() -> None:
    found = Page(html.render(sample.raced()))
    values = [option["value"] for option in found.all("option")]
    assert "eof" in values
    assert not any("*" in str(value) for value in values)
    assert [data["data-value"] for data in found.all("td") if "data-value" in data][:2] == ["eof", "aiohttp"]


# The terminal


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", ["small", "troubled", "raced", "empty"])
def test_no_line_is_too_long(name: str, width: int) -> None:
    lines = [line for line in shown(sample.ALL[name](), width).splitlines() if not line.startswith("  aiohttp/")]
    assert max(map(cell_len, lines)) <= width


def test_the_grid_has_a_row_a_preset_and_a_word_a_death() -> None:
    lines = [line.split() for line in shown(sample.small()).splitlines()]
    assert ["fin", "rst", "vanish", "blackhole", "fin"] in lines
    assert ["aiohttp", "1.2.3,", "sync"] in lines
    assert ["seed", "eof", "–", "reset", "timeout", "eof"] in lines
    assert ["seed", "–", "closed", "other", "–", "–"] in lines
    assert "closed: the library refused its own closed connection (closed-locally)" in shown(sample.small())


@pytest.mark.parametrize("width", [30, 45, 110])
def test_a_narrow_grid_is_split_and_no_word_is_cut(width: int) -> None:
    modes = ("fin", "rst", "vanish", "blackhole", "executed-fin", "executed-rst")
    cells = [sample.cell("truncated", mode=mode) for mode in modes]
    cells += [sample.unmeasured("inconclusive", mode=mode, link="lost") for mode in ("fin", "rst")]
    grid = shown(sample.matrix(*cells), width).partition("unproved:")[0]
    rows = [line.split() for line in grid.splitlines() if line.startswith("  seed")]
    assert [word for row in rows for word in row[1:]] == ["truncated"] * 6 + ["unproved"] * 2
    assert (len(rows) == 1) == (width == 110)


def test_colour_only_repeats_the_words() -> None:
    console = Console(width=80, file=io.StringIO(), force_terminal=True)
    print_matrix(sample.small(), None, console)
    assert isinstance(console.file, io.StringIO)
    coloured = console.file.getvalue()
    assert coloured.count("\x1b[") > 20
    plain = [line.rstrip() for line in Text.from_ansi(coloured).plain.splitlines()]
    assert plain == [line.rstrip() for line in shown(sample.small()).splitlines()]


def test_twice_is_called_out() -> None:
    assert "twice: succeeded, but the upstream carried it out twice\n  aiohttp sync seed: GET executed-fin\n" in shown(
        sample.small()
    )


def test_a_list_is_bounded_and_says_where_the_rest_is() -> None:
    outcomes = ["reset", "eof", "epipe", "timeout", "refused", "truncated"]
    cells = [sample.cell(outcome, preset=outcome) for outcome in outcomes]
    cells += [sample.cell(preset=outcome, method="GET") for outcome in outcomes]
    text = shown(sample.matrix(*cells))
    assert text.count("-> ok") == MOST
    assert "... and 2 more lines: see matrix.html" in text


def test_a_run_that_was_stopped_says_how_to_go_on(tmp_path: Path) -> None:
    text = shown(sample.troubled(), 120, folder=tmp_path)
    assert "4 cells: 2 measured, 1 inconclusive, 1 missing, 1 of them race (two runs may differ); 20.0s, 0.1" in text
    assert f"not finished: go on with `thawlab matrix --resume {tmp_path}`" in text
    assert "inconclusive: The sandbox was not frozen throughout." in text
    assert "skipped okhttp: needs a Java runtime, or --sandbox docker" in text
    assert str(tmp_path / "matrix.html") in text


@each_matrix
def test_a_hostile_text_does_not_drive_the_terminal(name: str) -> None:
    text = shown(sample.ALL[name]())
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)
    assert ("[red]x[/red]" in text) == (name == "hostile")


# matrix.md


@each_matrix
def test_markdown_keeps_its_columns_and_holds_no_html(name: str) -> None:
    text = markdown.render(sample.ALL[name]())
    rows = [re.sub(r"\\.", "", line) for line in text.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
    assert not re.search(r"<|\x1b", text)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert not [token for token in tokens if token.type == "html_block"]
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    assert headings[0] == "Thawlab: which client survives"
    assert "h" not in headings


def test_markdown_is_whole() -> None:
    text = markdown.render(sample.small())
    assert "| aiohttp 1.2.3, sync | seed | ❌ eof | – | ❌ reset | ❌ timeout | ❌ eof |" in text
    assert "  - aiohttp sync seed: GET vanish ok → reset, GET executed-fin twice → eof×2" in text
    assert "- **TLS** changes nothing here" in text
    troubled = markdown.render(sample.troubled())
    assert "- ❓ aiohttp/sync/seed/rst/delivered/POST/1/plain/event-first/interrupted: The sandbox was" in troubled
    assert "- skipped okhttp: needs a Java runtime, or --sandbox docker" in troubled
    assert "**Not finished:**" in troubled


# matrix.html


class Page(HTMLParser):
    """What a browser would find, and whether each element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.content.setdefault(self.open[-1], []).append(data)

    def said(self, tag: str) -> str:
        return "\n".join(self.content.get(tag, []))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@each_matrix
def test_the_page_is_whole_and_alone(name: str) -> None:
    text = html.render(sample.ALL[name]())
    found = Page(text)
    assert not re.search(r"https?://(?!127)|@import|url\((?!#)", text)
    assert {tag for tag, _ in found.elements}.isdisjoint({"link", "img", "iframe", "object", "base"})
    assert not any(name.startswith("on") or name == "style" for _, attrs in found.elements for name in attrs)
    assert len(found.all("script")) == 1
    assert "\x1b" not in text
    assert "\x00" not in text


@each_matrix
def test_only_the_pages_own_script_and_style_may_run(name: str) -> None:
    found = Page(html.render(sample.ALL[name]()))
    policy = str(next(meta["content"] for meta in found.all("meta") if "http-equiv" in meta))
    assert policy.startswith("default-src 'none'; ")
    for tag in ("script", "style"):
        (content,) = found.content[tag]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_cell_has_a_row_with_all_that_is_known() -> None:
    found = Page(html.render(sample.small()))
    assert len([row for row in found.all("tr") if row.get("data-kind")]) == len(sample.small().cells)
    heads = [head["data-key"] for head in found.all("th") if "data-key" in head]
    assert heads[0] == "result"
    assert {"exec", "conn", "dialled", "reuse", "tcp", "error", "why", "id"} < set(heads)


def test_links_and_labels_lead_somewhere() -> None:
    text = html.render(sample.small())
    found = Page(text)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(link["href"]).removeprefix("#") for link in found.all("a")} <= set(ids)
    assert {attributes["aria-labelledby"] for _, attributes in found.elements if "aria-labelledby" in attributes} <= {
        *ids
    }
    for control in re.finditer(r"<(?:input|select)", text):
        before = text[: control.start()]
        assert before.rfind("<label") > before.rfind("</label>")


def test_a_filter_offers_what_there_is_and_none_where_there_is_no_choice() -> None:
    found = Page(html.render(sample.small()))
    assert [select["name"] for select in found.all("select")] == [
        *("client", "shape", "preset", "death", "request", "stale", "tls", "order", "wake", "result")
    ]
    assert Page(html.render(sample.matrix(sample.cell()))).all("select") == []


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=2000"),
)


@pytest.mark.process
@pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: what the page's script does is not looked at"
)
def test_a_view_that_was_linked_is_filtered_and_sorted(tmp_path: Path) -> None:
    write_all(tmp_path, sample.small())
    view_of = f"file://{tmp_path}/matrix.html#q=post&client=aiohttp&shape=sync&only=bad&sort=-death"
    command = (str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}/profile", "--dump-dom", view_of)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    rows = re.findall(r'<tr id="c\d+" data-kind="(\w+)"( hidden="")?>(.*?)</tr>', done.stdout)
    assert len(rows) == len(sample.small().cells)
    seen = [re.findall(r"<td[^>]*>(.*?)</td>", row) for _, hidden, row in rows if not hidden]
    assert [row[4] for row in seen] == ["vanish"] * 4 + ["fin", "executed-fin", "blackhole"]
    assert re.search(r'data-key="death"[^>]*aria-sort="descending"', done.stdout)
    assert 'aria-live="polite">7 of 20 cells<' in done.stdout


# The files


@each_matrix
def test_every_file_is_written_and_none_is_left_half(name: str, tmp_path: Path) -> None:
    write_all(tmp_path, sample.ALL[name]())
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FORMATS)


@each_matrix
def test_the_json_keeps_to_its_published_schema(name: str, tmp_path: Path) -> None:
    write_all(tmp_path, sample.ALL[name]())
    schema = json.loads(Path(results.__file__).with_name("matrix.schema.json").read_text())
    text = (tmp_path / "matrix.json").read_text()
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    assert Matrix.model_validate_json(text) == sample.ALL[name]()
