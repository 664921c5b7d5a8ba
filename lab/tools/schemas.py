"""The published JSON Schemas, and the page that is made with one: `python -m lab.tools.schemas` writes them."""

from collections.abc import Mapping
from pathlib import Path

from lab.backends.registry import discover
from lab.checkout import ROOT
from lab.journal import schema
from lab.scenario import load
from lab.tools import journal_page
from lab.verdict import matrix, results

discover()  # the schemas name every kind of sandbox

PUBLISHED: Mapping[Path, str] = {
    load.SCHEMA: load.schema_text(),
    Path(schema.__file__).with_name("journal.schema.json"): schema.schema_text(),
    ROOT / "docs" / "journal.md": journal_page.page_text(),
    Path(results.__file__).with_name("results.schema.json"): results.schema_text(),
    Path(matrix.__file__).with_name("matrix.schema.json"): matrix.schema_text(),
}
"""Each file with what must be in it."""


def main() -> None:
    """Write every file."""
    for path, text in PUBLISHED.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
