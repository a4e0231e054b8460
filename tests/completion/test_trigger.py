"""When something is suggested, and what: the cases are ``golden/triggers.toml``."""

from __future__ import annotations

from typing import Any

import pytest

from completion import Edit, decide
from tests.completion.fixtures import cases, config_of, name_of, spot_of

FIELDS = {"file", "name", "language", "document", "crlf", "explicit", "has_selection", "removed", "inserted"}
FIELDS |= {"trigger", "enabled", "max_lines"}


@pytest.mark.parametrize("case", cases("triggers"), ids=name_of)
def test_trigger(case: dict[str, Any]) -> None:
    """A suggestion at the wrong moment is worse than none; its reason can be read in the log."""
    assert case.keys() <= FIELDS
    config = config_of(case)
    spot = spot_of(case["document"], case.get("language", "python"), config, crlf=case.get("crlf", False))
    edit = Edit(removed=case.get("removed", 0), inserted=case.get("inserted", ""))
    trigger = decide(
        spot,
        explicit=case.get("explicit", False),
        previous=edit if edit.removed or edit.inserted else None,
        config=config,
        has_selection=case.get("has_selection", False),
    )
    assert f"{trigger.shape}: {trigger.reason}" == case["trigger"]


def test_a_block_has_the_lines_of_the_config_and_a_line_has_one() -> None:
    """The stop rules read the limit from the trigger."""
    block = decide(spot_of("def f():\n    ‸\n"), explicit=False, previous=None, config=config_of({}))
    line = decide(spot_of("x = ‸\n"), explicit=False, previous=None, config=config_of({}))
    assert (block.max_lines, line.max_lines) == (config_of({}).max_lines, 1)
