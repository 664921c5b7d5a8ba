"""The contract of the flow: which room may import which, and what the pure rooms may not reach.

Data flows one way: scenario, plan, run, journal, verdict, report. A room imports only rooms of the lines below its own.
"""

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("lab", "upstream_server", "lambda_app")
ORDER = (
    ("cli", "tools"),
    ("report", "run"),
    ("runs",),
    ("backends",),
    ("lambda_service", "upstream"),
    ("functions",),
    ("verdict",),
    ("plan",),
    ("scenario",),
    ("journal",),
    ("cleanup",),
)
"""The rooms of `lab/`. Rooms of one line do not import each other; everybody may import lab's loose modules."""
MOST_LOOSE = 5
DOOR = "lab.__main__"
STRANGERS = {
    "lab": ("lambda_app",),  # the function under test
    "upstream_server": ("lab", "lambda_app"),  # it runs alone
    "lambda_app": ("lab", "upstream_server"),
}
PURE = ("lab.verdict", "lab.plan")
WORLD = frozenset({"aiohttp", "docker", "subprocess", "socket"})
"""What the pure rooms must not reach, through no module of ours."""

EXCEPTIONS: set[str] = set()
"""Imports that break the contract today: none, and an entry that is not needed fails the test."""

LINE = {room: number for number, line in enumerate(ORDER) for room in line}
Imports = Mapping[str, frozenset[str]]


def imports_in(root: Path) -> Imports:
    """What each module of our packages imports: modules of ours by their full name, others by their first."""
    files = {_name(file.relative_to(root)): file for top in PACKAGES for file in (root / top).rglob("*.py")}
    return {name: frozenset(_imported(file, name, files)) - {name} for name, file in files.items()}


def _name(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def _imported(file: Path, importer: str, ours: Mapping[str, Path]) -> Iterator[str]:
    tree = ast.parse(file.read_bytes())
    for_types = {id(node) for block in ast.walk(tree) if _is_for_types(block) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{importer}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and str(node.value).startswith("lab.") and node.value in ours:
            names = [str(node.value)]  # what importlib would import
        else:
            continue
        for name in names:
            parts = name.split(".")
            known = [part for end in range(1, len(parts) + 1) if (part := ".".join(parts[:end])) in ours]
            if id(node) not in for_types or parts[0] == "lab":
                yield known[-1] if known else parts[0]


def _is_for_types(node: ast.AST) -> bool:
    """`if TYPE_CHECKING:` imports nothing when it runs. Rooms keep their order there too, but reach nothing by it."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def violations(imports: Imports) -> set[str]:
    """Everything that breaks the contract, an entry an import."""
    found = {f"lab: {len(loose)} loose modules" for loose in [_loose(imports)] if len(loose) > MOST_LOOSE}
    found |= {f"lab/{room}: in no line of ORDER" for room in _rooms(imports) - LINE.keys()}
    for module, targets in imports.items():
        strangers = STRANGERS[module.partition(".")[0]]
        found |= {f"{module} -> {to}" for to in targets if to.partition(".")[0] in strangers}
        found |= {f"{module} -> {to}" for to in targets if not _goes_down(_room(module), _room(to))}
    return found | {entry for room in PURE for entry in chains(room, imports)}


def chains(room: str, imports: Imports) -> Mapping[str, str]:
    """Where a pure room reaches the world, and how. Importing a module imports the packages around it too."""
    ways = {module: module for module in imports if module.startswith(f"{room}.")}
    todo = deque(ways)
    while todo:
        module = todo.popleft()
        for to in [*imports[module], *([module.rpartition(".")[0]] if "." in module else [])]:
            if to in imports and to not in ways:
                ways[to] = f"{ways[module]} -> {to}"
                todo.append(to)
    ends = [(module, end) for module in ways for end in imports[module] & WORLD]
    return {f"{room}: {module} -> {end}": f"{ways[module]} -> {end}" for module, end in ends}


def _loose(imports: Imports) -> list[str]:
    rooms = {f"lab.{room}" for room in [*LINE, *_rooms(imports)]}
    return [name for name in imports if name.count(".") == 1 and name[:4] == "lab." and name not in {*rooms, DOOR}]


def _rooms(imports: Imports) -> set[str]:
    return {parts[1] for name in imports if (parts := name.split("."))[0] == "lab" and len(parts) > 2}


def _room(module: str) -> str | None:
    """The room of a module of the lab; None for other modules and loose ones."""
    package, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    if module == DOOR:
        return "cli"
    return room if package == "lab" and ("." in rest or room in LINE) else None


def _goes_down(importer: str | None, imported: str | None) -> bool:
    if imported is None or importer == imported:
        return True
    return importer is not None and LINE.get(importer, -1) < LINE.get(imported, -1)


def test_the_flow_goes_one_way() -> None:
    imports = imports_in(ROOT)
    found = violations(imports)
    ways = {entry: way for room in PURE for entry, way in chains(room, imports).items()}
    new = sorted(f"{entry}   ({ways[entry]})" if entry in ways else entry for entry in found - EXCEPTIONS)
    assert not new, "these imports break the contract: see ORDER, STRANGERS and WORLD above"
    assert not EXCEPTIONS - found, "these exceptions are not needed any more: delete them"


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("lab/verdict/x.py", "from lab.run import warm", "lab.verdict.x -> lab.run"),
        ("lab/run/x.py", "import lab.report.run", "lab.run.x -> lab.report"),
        ("lab/units.py", "def f() -> None:\n    from lab.journal import Event", "lab.units -> lab.journal"),
        ("lab/run/x.py", "from lambda_app.python import background", "lab.run.x -> lambda_app"),
        ("upstream_server/x.py", "from lab.units import parse_duration", "upstream_server.x -> lab.units"),
        ("lab/run/x.py", "import_module('lab.report')", "lab.run.x -> lab.report"),
        ("lab/plan/x.py", "import socket", "lab.plan: lab.plan.x -> socket"),
        ("lab/plan/x.py", "import upstream_server.wire", "lab.plan: upstream_server.wire -> aiohttp"),
        ("lab/attic/x.py", "", "lab/attic: in no line of ORDER"),
        ("lab/extra.py", "", "lab: 6 loose modules"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, file: str, line: str, expected: str) -> None:
    house = ("lab/journal/__init__.py", "lab/run/__init__.py", "lab/report/__init__.py", "lambda_app/__init__.py")
    loose = ("lab/units.py", "lab/errors.py", "lab/a.py", "lab/b.py", "lab/c.py")
    for path in (*house, *loose, "upstream_server/__init__.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "upstream_server/__init__.py").write_text("import json")
    (tmp_path / "upstream_server/wire.py").write_text("from aiohttp import web")
    assert violations(imports_in(tmp_path)) == set()
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(line)
    assert violations(imports_in(tmp_path)) == {expected}
