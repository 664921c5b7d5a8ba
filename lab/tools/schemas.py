"""The published JSON Schemas: `python -m lab.tools.schemas` writes them anew, beside their models."""

from collections.abc import Mapping
from pathlib import Path

from lab.scenario import load
from lab.verdict import matrix, results

PUBLISHED: Mapping[Path, str] = {
    load.SCHEMA: load.schema_text(),
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
