"""The published JSON Schemas: `python -m lab.schemas` writes them anew, beside the models that they are made from."""

from collections.abc import Mapping
from pathlib import Path

from lab.matrix import results as matrix
from lab.scenario import load
from lab.verdict import results

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
