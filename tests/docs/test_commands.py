"""Every shell block that a page says to run runs, and shows what the page shows."""

from pathlib import Path

import pytest

from lab.functions import language
from tests.docs.conftest import Shell
from tests.docs.pages import PAGES, SHELLS, fences, outputs, shows

WITH_A_SERVER = ("serve.md", "upstream.md")
"""Their blocks need a server: see `test_serve_page.py` and `test_upstream_page.py`."""

WITH_COMMANDS = [
    page for page in PAGES if page.name not in WITH_A_SERVER and any(fence.language == "sh" for fence in fences(page))
]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_what_a_page_says_to_run_runs(page: Path, clone: Path, shell: Shell) -> None:
    shown = outputs(page)
    for fence in fences(page):
        if fence.file_name:
            (clone / fence.file_name).write_text(fence.text)
        if fence.language == "sh":
            done = shell(fence.text)
            assert done.returncode == 0, f"{fence}: {done.stdout}"
            if fence in shown:
                assert not shows(done.stdout, shown[fence].text), f"{shown[fence]}: {done.stdout}"


def test_a_block_that_is_run_is_marked_so() -> None:
    """A fence without a language, or with another word for a shell, would be run by nobody."""
    languages = {fence.language for page in PAGES for fence in fences(page)}
    code = {word for known in language.languages() for word in known.suffixes.values()}
    assert languages <= {*SHELLS, "text", "yaml", *code}
