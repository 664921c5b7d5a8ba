"""What is compared with a golden run's `expected/`: results, summary, terminal, and the skeletons of its pages."""

import json
from collections import Counter
from html.parser import HTMLParser

from lab.report.matrix import html as matrix_html
from lab.report.matrix import markdown as matrix_markdown
from lab.report.run import html, junit, markdown
from lab.runs.finished import FinishedRun
from lab.verdict.matrix import Matrix
from tests.golden import terminal

VOID = {"meta", "input", "br", "link", "img"}
HIDDEN = {"style", "script"}


def expected(shown: FinishedRun | Matrix) -> dict[str, str]:
    """Each file of `expected/` with its text."""
    if isinstance(shown, Matrix):
        return {
            "matrix.json": shown.to_json(),
            "matrix.md": matrix_markdown.render(shown),
            "terminal.txt": terminal(shown),
            "page.txt": skeleton(matrix_html.render(shown)),
        }
    return {
        "results.json": without_traces(shown.results.to_json()),
        "summary.md": markdown.render(shown),
        "terminal.txt": terminal(shown),
        "junit.txt": skeleton(junit.render(shown).decode()),
        "page.txt": skeleton(html.render(shown)),
    }


def without_traces(results: str) -> str:
    """A trace of the judge has line numbers."""
    found = json.loads(results)
    for scenario in found["scenarios"]:
        for arm in scenario["arms"]:
            for run in arm["runs"]:
                if run.get("trace"):
                    run["trace"] = "..."
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


class _Skeleton(HTMLParser):
    """Elements with their classes, one a line, those alike counted; texts are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.paths: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        classes = (dict(attributes).get("class") or "").split()
        element = ".".join([tag, *sorted(classes)])
        self.paths["  " * len(self.open) + element] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass


def skeleton(page: str) -> str:
    """A page's elements by depth, each with how often it is there: its shape, without a word of it."""
    parser = _Skeleton()
    parser.feed(page)
    return "".join(f"{element} × {count}\n" for element, count in parser.paths.items())
