"""Commands have public names."""

import pytest

from domain.intent import Command, command_name
from domain.stages.commands import AdvanceStage


def test_a_command_is_named_by_its_tag() -> None:
    assert command_name(AdvanceStage) == "advance-stage"


def test_a_type_without_a_name_is_no_command() -> None:
    class Nameless(Command, frozen=True):
        pass

    with pytest.raises(AssertionError, match="Nameless has no name"):
        command_name(Nameless)
