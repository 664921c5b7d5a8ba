"""Pages of the documentation with a part that a command writes from results."""

from pathlib import Path

from lab.errors import UsageError

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def insert(page: Path, measured: str) -> None:
    """Replace what stands between the page's markers; raises UsageError if it has none or cannot be written."""
    try:
        text = page.read_text(encoding="utf-8")
        before, begin, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            raise UsageError(f"{page}: has no lines `{BEGIN}` and `{END}` to write the table between")
        page.write_text(f"{before}{BEGIN}\n{measured.strip()}\n{END}{after}", encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{page}: cannot be rewritten: {error}") from error
