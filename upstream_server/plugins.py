"""Registering more from outside: `THAWLAB_PLUGINS=my_mode,my_verb` names modules to import.

A plugin is any importable module that registers something when it is imported: a close mode, a moment, a verb. The lab
and the upstream's process both load the same list, before they look at any registry.
"""

import importlib
import os
from collections.abc import Mapping

VARIABLE = "THAWLAB_PLUGINS"
_PASSED_ON = (VARIABLE, "PYTHONPATH")


class BadPlugin(Exception):
    """A module in THAWLAB_PLUGINS cannot be imported. The text says which one and why."""


def load() -> None:
    """Import the modules that THAWLAB_PLUGINS names, separated by commas. Raises BadPlugin."""
    for name in filter(None, map(str.strip, os.environ.get(VARIABLE, "").split(","))):
        try:
            importlib.import_module(name)
        except Exception as error:  # a plugin is other people's code: whatever it raises is theirs to mend
            raise BadPlugin(f"{VARIABLE}: {name} cannot be imported ({type(error).__name__}: {error})") from error


def environment() -> Mapping[str, str]:
    """The variables that another process needs to load the same plugins."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
