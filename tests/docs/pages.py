"""The pages for people, taken apart: fenced blocks, links, headings and inline code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
SHELLS = ("sh", "console")
"""`sh` is run by the tests and must exit with 0; `console` is only shown: it needs Docker, a terminal or long."""

_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block."""

    page: Path
    line: int
    language: str
    text: str

    def __repr__(self) -> str:
        return f"<{self.page.name}:{self.line} {self.language}>"

    @property
    def file_name(self) -> str | None:
        """The file that the block is saved as, if its first line says so."""
        match = re.match(r"# (\S+\.\w+)\n", self.text)
        return match[1] if match else None

    @property
    def commands(self) -> Iterator[str]:
        """The command lines, without prompts and here-documents, each with its continuations."""
        text = re.sub(r"<<'(\w+)'\n.*?\n\1\n", "\n", self.text, flags=re.S).replace("\\\n", " ")
        for line in text.splitlines():
            yield line.removeprefix("$ ").strip()


def fences(page: Path) -> list[Fence]:
    """In the order of the page."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    return [Fence(page, _line(token), token.info, token.content) for token in tokens if token.type == "fence"]


def outputs(page: Path) -> dict[Fence, Fence]:
    """What a page shows as the output of a block that is run: the `text` block right after it."""
    blocks = fences(page)
    pairs = pairwise(blocks)
    return {block: shown for block, shown in pairs if block.language in ("sh", "python") and shown.language == "text"}


def links(page: Path) -> list[str]:
    """Targets of links and pictures."""
    return [
        str(token.attrGet("href") or token.attrGet("src"))
        for token in _inline(page)
        if token.type in ("link_open", "image")
    ]


def inline_code(page: Path) -> list[str]:
    return [token.content for token in _inline(page) if token.type == "code_inline"]


def anchors(page: Path) -> set[str]:
    """The names that a page's headings have as targets of links: GitHub's way of making them."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables(page: Path) -> dict[str, list[list[str]]]:
    """Rows of the tables below each heading, cells as their Markdown, heads left out."""
    found: dict[str, list[list[str]]] = {}
    heading, body = "", False
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    for token, after in pairwise(tokens):
        if token.type == "heading_open":
            heading = after.content
        elif token.type in ("tbody_open", "tbody_close"):
            body = token.type == "tbody_open"
        elif token.type == "tr_open" and body:
            found.setdefault(heading, []).append([])
        elif token.type == "td_open":
            found[heading][-1].append(after.content)
    return found


def shows(output: str, shown: str) -> Sequence[str]:
    """The lines of `shown` that are not in the output, in this order; `...` stands for anything, blanks for blanks."""
    rest = [" ".join(line.split()) for line in output.splitlines()]
    for number, line in enumerate(shown.splitlines()):
        pattern = ".*".join(re.escape(part) for part in " ".join(line.split()).split("..."))
        at = next((index for index, candidate in enumerate(rest) if re.search(pattern, candidate)), None)
        if at is None:
            return shown.splitlines()[number:]
        rest = rest[at + 1 :]
    return ()


def _inline(page: Path) -> Iterator[Token]:
    for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        yield from token.children or ()


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0
