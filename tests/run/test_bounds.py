"""The lab waits longer for a function to settle than a function may take."""

import pytest

from lab.lambda_service.spec import FunctionSpec
from lab.run.bounds import FUNCTION_TIMEOUT, INIT_TIMEOUT, settle_bound
from lab.scenario.timeline import REAL_TIME


@pytest.mark.parametrize(
    ("timeout", "init_timeout"), [(FUNCTION_TIMEOUT, INIT_TIMEOUT), (90.0, INIT_TIMEOUT), (1.0, 60.0)]
)
def test_a_function_at_its_limit_is_not_trouble_of_the_lab(timeout: float, init_timeout: float) -> None:
    assert settle_bound(FunctionSpec("f", timeout=timeout, init_timeout=init_timeout), REAL_TIME) > max(
        timeout, init_timeout
    )
