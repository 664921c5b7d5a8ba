"""Every mistake in a scenario file is one line: what, where (file and line), what to do. Never a traceback."""

import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.scenario.load import BUILT_IN, LARGEST_FILE, built_in, find, parse
from tests.run.command import refused, thawlab, thawlab_here

STORY = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {idle_timeout: 300s, close: rst}
function: {preset: seed, shape: sync}
link: lost
timeline: [invoke, freeze: 6m, invoke]
arms:
  - name: bug
    role: bug
    title: The bug
    expect: {outcome: reset}
"""
TIMELINE = "[invoke, freeze: 6m, invoke]"

Says = Callable[..., str]


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Says:
    """What the command line says to a scenario file with this in it, in one line and with status 2."""

    def run(content: str | bytes, *options: str) -> str:
        path = tmp_path / "story.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        done = thawlab_here(monkeypatch, "run", path, "--out", tmp_path / "runs", *options)
        said = refused(done, 2)
        assert done.stdout == ""
        assert said[:-1].isprintable()  # one line
        assert len(said) < 600
        assert not (tmp_path / "runs").exists()
        return said.removeprefix("thawlab: ").replace(str(path), "F").rstrip()

    return run


def test_the_story_itself_is_good() -> None:
    assert parse(STORY, Path("story.yaml")).arms[0].name == "bug"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        # Keys
        ("link: lost", "link: lost\ncolour: red", 8, ["unknown key 'colour'", "docs/scenarios.md has all"]),
        ("    role: bug", "    role: bug\n    colour: red", 12, ["unknown key 'arms.0.colour'"]),
        ("close: rst", "clsoe: rst", 5, ["unknown key 'upstream.clsoe'", "did you mean `close`?"]),
        ("story: s\n", "", 1, ["'story' is missing", "add it"]),
        ("    role: bug\n", "", 10, ["'arms.0.role' is missing"]),
        ("link: lost", "link: lost\nbalncer: {}", 8, ["unknown key 'balncer'", "did you mean `balancer`?"]),
        ("{outcome: reset}", "{outcom: reset}", 13, ["'arms.0.expect.outcom'", "did you mean `outcome`?"]),
        ("close: rst", "close: rst, advertise: {tmeout: 5s}", 5, ["did you mean `timeout`?"]),
        ("close: rst", "close: rst, faults: [{at: executed, so: rst}]", 5, ["unknown key 'upstream.faults.0.so'"]),
        ("link: lost", "link: lost\ntitle: again", 8, ['duplicate key "title"']),
        ("link: lost", "link: lost\n1: x", 8, ["the key 1 is not text"]),
        ("link: lost", "link: lost\ntrue: x", 8, ["the key True is not text"]),
        ("link: lost", "link: lost\n? [a, b]\n: x", 8, ["is not text"]),
        ("link: lost", "link: lost\n? \n: x", 8, ["the key nothing is not text"]),
        # Durations
        ("300s", "300sec", 5, ["upstream.idle_timeout: '300sec' is not a duration", "300s"]),
        ("300s", "300", 5, ["300 is not a duration", "a number and a unit"]),
        ("300s", "-300s", 5, ["is not a duration"]),
        ("300s", "0s", 5, ["'0s' is out of range", "above zero"]),
        ("300s", "9" * 400 + "h", 5, ["is out of range", "at most 168h"]),
        ("6m", "6", 8, ["timeline.1: 6 is not a duration"]),
        ("6m", "0s", 8, ["above zero"]),
        ("6m", ".inf", 8, ["is not a duration"]),
        ("freeze: 6m", "freeze", 8, ["is not a duration"]),
        # Timelines
        (TIMELINE, "[freeze: 6m, invoke]", 8, ["begins with `frozen 6m`", "before an invoke"]),
        (TIMELINE, "[invoke, freeze: 6m]", 8, ["ends with `frozen 6m`", "end with an invoke"]),
        (TIMELINE, "[invoke, freeze: 6m, wait: 6m, invoke]", 8, ["timeline: "]),
        (TIMELINE, "[invoke, frezee: 6m, invoke]", 8, ["unknown verb 'frezee'", "did you mean `freeze`?"]),
        (TIMELINE, "[invoke, {freeze: 6m, wait: 1m}, invoke]", 8, ["is not a step"]),
        (TIMELINE, "[]", 8, ["timeline: is empty"]),
        (TIMELINE, "invoke", 8, ["is not a list"]),
        ("    role: bug", "    role: bug\n    change: {timeline: [invoke, freeze: 6m]}", 12, ["ends with"]),
        ("6m", "1m", 10, ["its gap is 1m", "for 5m", "nothing goes stale"]),
        ("role: bug", "role: control", 10, ["is a control", "they go stale"]),
        # Arms
        ("name: bug", "name: ../../etc/passwd", 10, ["is not a name", "letters, digits and hyphens"]),
        ("name: bug", 'name: "bug\\nrole: fix"', 10, ["is not a name"]),
        ("name: bug", 'name: "\\e[31mbug"', 10, ["control character"]),
        ("name: bug", f"name: {'a' * 5000}", 10, ["arms.0.name", "at most 40"]),
        ("role: bug", "role: bugg", 11, ["'bugg'", "did you mean `bug`?"]),
        ("role: bug", "role: fix", 10, ["is a fix", "no bug arm"]),
        ("    role: bug", "    role: bug\n    pair: nope", 10, ["has the pair 'nope'"]),
        ("{outcome: reset}", "{outcome: reset}\n  - {name: bug, role: bug, title: t}", 14, ["second of this name"]),
        ("{outcome: reset}", "{outcome: rest}", 13, ["'rest'", "did you mean `reset`?"]),
        ("{outcome: reset}", "{outcome: []}", 13, ["expect.outcome: is empty"]),
        ("{outcome: reset}", "{executions: [-1]}", 13, ["expect.executions.0"]),
        ("{outcome: reset}", "{outcome: reset, reuse: kept}", 10, ["is a bug", "only a fix or a contrast"]),
        ("{outcome: reset}", "{outcome: reset, reuse: false}", 10, ["is a bug", "make it a contrast"]),
        ("{outcome: reset}", "reset", 13, ["'reset' is not a mapping"]),
        # What an upstream may do
        (
            "close: rst",
            "close: rst, faults: [{at: executed, do: rst, requests: [2], min_request: 3}]",
            5,
            ["no request is both in [2] and at least 3"],
        ),
        (
            "close: rst",
            "close: rst, faults: [{at: accept, do: rst, requests: [2]}]",
            5,
            ["at accept there is no request"],
        ),
        (
            "close: rst",
            "close: rst, faults: [{at: executed, do: rst, after_bytes: 9}]",
            5,
            ["executed counts no bytes"],
        ),
        ("close: rst", "close: rst, faults: [{at: executed, do: rst, requests: [0]}]", 5, ["faults.0", "requests"]),
        ("close: rst", "close: rst, max_age: 10", 5, ["upstream.max_age: 10 is not a duration"]),
        ("close: rst", "close: rst, gateway_refresh: pings", 5, ["'pings'", "requests, probes"]),
        ("close: rst", "close: rst, gateway_refresh: probes", 10, ["there is no gateway", "gateway_timeout"]),
        (
            "close: rst",
            "close: rst, gateway_timeout: 60s, gateway_refresh: probes",
            10,
            ["loses every packet", "leave one of the two out"],
        ),
        ("link: lost", "link: lost\nbalancer: {client_timeout: 0s}", 8, ["balancer.client_timeout", "above zero"]),
        (
            "link: lost\ntimeline: [invoke,",
            "balancer: {}\ntimeline: [invoke, move,",
            10,
            ["moves the name while a balancer", "leave one out"],
        ),
        ("link: lost", "link: lost\nbalancer: {client_timeout: 60s}", 11, ["loses every packet, its close as well"]),
        (
            "link: lost\ntimeline: [invoke, freeze: 6m, invoke]\narms:\n  - name: bug\n    role: bug",
            "balancer: {client_timeout: 5m}\ntimeline: [invoke, freeze: 6m, invoke]\narms:\n"
            "  - name: bug\n    role: control",
            10,
            ["is a control", "the balancer loses patience"],
        ),
        # How it must end
        ("{outcome: reset}", "{latency: {}}", 13, ["expect.latency", "at_most"]),
        ("{outcome: reset}", "{latency: {at_least: 2s, at_most: 1s}}", 13, ["at_least 2s is longer than at_most 1s"]),
        ("{outcome: reset}", "{latency: {at_most: 5}}", 13, ["latency.at_most: 5 is not a duration"]),
        ("{outcome: reset}", "{after_answer: dead}", 13, ["'dead'", "write one of ok, crashed"]),
        # Sweeps
        ("link: lost", "link: lost\nsweep: {title: t, gaps: [1m, 6m], shape: seldom}", 8, ["'seldom'", "sometimes"]),
        ("link: lost", "link: lost\nsweep: {title: t, gaps: [1m, 6m], shape: never-never}", 8, ["a word twice"]),
        ("link: lost", "link: lost\nsweep: {title: t, gaps: [1m, 60s]}", 8, ["two of the gaps are the same"]),
        ("link: lost", "link: lost\nsweep: {title: t, gaps: [1m, 2m]}", 8, ["all on one side of the limit of 5m"]),
        # Functions
        (
            "preset: seed",
            "preset: nope",
            6,
            ["no preset 'nope'", "there are", "lambda_app/python/clients/aiohttp/presets"],
        ),
        ("preset: seed", "preset: ../handler", 6, ["no preset '../handler'"]),
        ("preset: seed", "preset: sede", 6, ["no preset 'sede'", "did you mean `seed`?"]),
        ("preset: seed", "client: cobol", 6, ["'cobol'", "aiohttp"]),
        ("preset: seed", "client: aiohtp", 6, ["'aiohtp'", "did you mean `aiohttp`?"]),
        ("shape: sync", "client: go, shape: sync", 6, ["no app shape sync: there are loop"]),
        ("    role: bug", "    role: bug\n    change:\n      function:\n        preset: nope", 14, ["no preset"]),
        # Values
        ("title: A test", "title: 7", 1, ["title: 7 is not text", "quotes"]),
        ("title: A test", "title:", 1, ["title: nothing is not text"]),
        ("title: A test", "title: 2001-45-99", 1, ["'2001-45-99' cannot be read"]),
        ("link: lost", "link: lost\nminutes: .nan", 8, ["minutes"]),
        ("link: lost", "link: lost\nrequest: {body_bytes: " + "9" * 5000 + "}", 8, []),
        ("link: lost", "link: lost\nrequest: {body_bytes: 3, json: true}", 11, ["document of 3 bytes", "4 or more"]),
        ("link: lost", "link: lost\nrequest: {body_bytes: 9, as_json: true}", 8, ["as_json"]),
        ("title: A test", 'title: "\\ud800"', 1, ["control character"]),
        # YAML
        ("[invoke, freeze", "[invoke, [freeze", 9, ["this is not YAML"]),
        ("    role: bug", "\trole: bug", 11, ["this is not YAML"]),
        ("link: lost", "link: lost\nseen_in: [repo #1]", 8, ["'#1]' is lost", "quotes"]),
        ("link: lost", "link: lost\nseen_in: [a,\n  repo #1]", 9, ["'#1]' is lost", "quotes"]),
        ("{outcome: reset}", "{outcome: reset #1}", 13, ["'#1}' is lost", "quotes"]),
        ("A test", "A\0test", 1, ["this is not YAML"]),
        ("title: A test", "title: !!python/object/apply:os.system [id]", 1, ["tags", "plain values"]),
        ("link: lost", "link: lost\nseen_in: &a [*a]", 8, ["anchors and aliases", "write it out"]),
        ("link: lost", "link: lost\nseen_in: " + "[" * 5000 + "]" * 5000, 8, ["nested"]),
        ("link: lost", "link: lost\n---\n", 8, ["another document"]),
    ],
)
def test_one_mistake(says: Says, old: str, new: str, line: int, words: list[str]) -> None:
    assert old in STORY
    said = says(STORY.replace(old, new, 1))
    assert re.match(rf"F:{line}: ", said), said
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "a scenario is a mapping"),
        (b"\n# nothing\n", "a scenario is a mapping"),
        (b"hello", "a scenario is a mapping"),
        (b"- a\n- b\n", "a scenario is a mapping"),
        (bytes(range(256)), "not a text file"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 64, "not YAML"),
        (STORY.encode("utf-16"), "not a text file"),
        (b"x" * (LARGEST_FILE + 1), "larger than"),
    ],
    ids=["empty", "comment", "scalar", "list", "bytes", "binary", "utf-16", "huge"],
)
def test_what_is_no_scenario(says: Says, content: bytes, word: str) -> None:
    said = says(content)
    assert said.startswith("F:")
    assert word in said


def test_an_alias_bomb_is_refused_at_once(says: Says) -> None:
    """Nine levels of nine aliases unfold to 400 million items."""
    levels = "".join(
        f"  - &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    begun = time.monotonic()
    assert "aliases" in says(f"{STORY}seen_in:\n  - &a [x, x, x, x, x, x, x, x, x]\n{levels}")
    assert time.monotonic() - begun < 2


def test_other_mistakes_are_counted(says: Says) -> None:
    assert says(STORY.replace("300s", "300").replace("6m", "6")).endswith("(and 1 more)")


def test_an_unknown_arm(says: Says) -> None:
    assert says(STORY, "--arm", "nope") == "no arm is called 'nope': there is bug only"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope", ["no scenario is called 'nope'", "thawlab list", ".yaml"]),
        ("sed-reset", ["no scenario is called 'sed-reset'", "did you mean `seed-reset`?"]),
        ("nope.yaml", ["nope.yaml: cannot be read: No such file", "thawlab list"]),
        ("./scenarios/", ["cannot be read: Is a directory"]),
        ("/dev/zero", ["larger than"]),
        ("a\x1b[31mb", ["no scenario is called"]),
    ],
)
def test_no_such_scenario(monkeypatch: pytest.MonkeyPatch, name: str, words: list[str]) -> None:
    monkeypatch.chdir(BUILT_IN.parent)
    refused(thawlab_here(monkeypatch, "run", name), 2, *words)


def test_a_file_that_is_named_without_its_ending(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(STORY)
    monkeypatch.chdir(tmp_path)
    refused(thawlab_here(monkeypatch, "run", "mine"), 2, "no scenario is called 'mine'", "did you mean `mine.yaml`?")


def test_a_misspelt_arm(says: Says) -> None:
    assert says(STORY, "--arm", "bgu") == "no arm is called 'bgu': did you mean `bug`?"


def test_a_next_command_names_a_scenario_as_the_user_did(tmp_path: Path) -> None:
    path = tmp_path / "with a blank" / "story.yaml"
    path.parent.mkdir()
    path.write_text(STORY)
    assert find(str(path)).asked == f"'{path}'"
    assert find("seed-reset").asked == "seed-reset"


def test_no_issue_number_is_lost_in_a_comment() -> None:
    """` #` begins a comment in YAML, in a list of lines as well."""
    for named in built_in():
        assert not re.search(r"^  - [^\"'].*\s#\d", named.text, re.MULTILINE), named.name


@pytest.mark.parametrize("name", ["a b.yaml", "ü.yaml", "\udcff.yaml", f"{'l' * 41}.yaml", "<b>.yaml", ".yaml"])
def test_a_file_whose_name_cannot_be_a_scenarios(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(STORY)
    refused(thawlab_here(monkeypatch, "run", tmp_path / name, "--out", tmp_path / "runs"), 2, "rename the file")


def test_a_mistake_on_the_command_line(tmp_path: Path) -> None:
    """The same in a process of its own, once."""
    (tmp_path / "story.yaml").write_text(STORY.replace("300s", "300"))
    refused(thawlab("run", tmp_path / "story.yaml"), 2, "story.yaml:5: ", "is not a duration")


JUNK = (
    *"\0\t\x1b\ud800\u2028\x85{}[]*&!|>%@`\"':#\r\n~=",
    *(
        "- ",
        "? ",
        "<<: ",
        "---\n",
        "...\n",
        "!!int ",
        "0x",
        ".inf",
        "2001-45-99",
        "9" * 5000,
        "1e999",
        "%YAML 1.1\n---\n",
    ),
)


def mutated(text: str, chance: random.Random) -> str:
    """The text with up to three small damages, of characters or of lines."""
    for _ in range(chance.randint(1, 3)):
        at, lines = chance.randrange(len(text) + 1), text.split("\n")
        row = chance.randrange(len(lines))
        match chance.randrange(6):
            case 0:
                text = text[:at] + chance.choice(JUNK) + text[at:]
            case 1:
                text = text[:at] + text[at + chance.randint(1, 20) :]
            case 2:
                text = text[:at] + chr(chance.randrange(256)) + text[at + 1 :]
            case 3:
                text = "\n".join([*lines[:row], lines[chance.randrange(len(lines))], *lines[row:]])
            case 4:
                text = "\n".join(lines[:row] + lines[row + 1 :])
            case _:
                text = "\n".join(
                    [*lines[:row], f"{lines[row].partition(':')[0]}: {chance.choice(JUNK)}", *lines[row + 1 :]]
                )
    return text


def verdict(text: str) -> str:
    """What a scenario file with this text is found to be; whatever else is raised fails the test."""
    try:
        parse(text, Path("story.yaml"))
    except UsageError as error:
        return str(error)
    return "good"


def test_damaged_files_are_refused_or_good() -> None:
    chance = random.Random(350)
    texts = [path.read_text() for path in sorted(BUILT_IN.glob("*.yaml"))]
    verdicts = [verdict(mutated(chance.choice(texts), chance)) for _ in range(200)]
    refusals = [said for said in verdicts if said != "good"]
    assert 10 < len(refusals) < 190
    for said in refusals:
        assert re.fullmatch(r"story\.yaml:\d+: .{1,600}", said)
