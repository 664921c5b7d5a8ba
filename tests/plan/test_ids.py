"""A cell's id names it and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import UsageError
from lab.functions import DEFINITIONS
from lab.plan.cells import CLOSED, Cell

names = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1)
words = {axis: st.sampled_from(values()) for axis, values in CLOSED.items()}
cells = st.builds(
    Cell, client=st.sampled_from(list(DEFINITIONS)) | names, preset=names, stale=st.integers(0, 100), **words
)


@given(cells)
def test_an_id_is_read_as_its_cell(cell: Cell) -> None:
    assert Cell.parse(cell.id) == cell


@given(cells, cells)
def test_two_cells_have_two_ids(one: Cell, other: Cell) -> None:
    assert (one.id == other.id) == (one == other)


@given(cells, st.integers(0, 9))
def test_an_id_that_lacks_a_part_is_refused(cell: Cell, part: int) -> None:
    parts = cell.id.split("/")
    del parts[part]
    with pytest.raises(UsageError, match="is not a cell"):
        Cell.parse("/".join(parts))
