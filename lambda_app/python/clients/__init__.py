"""One folder for each HTTP client library, imported only if it runs."""

import importlib
from pathlib import Path
from types import ModuleType

from lambda_app.python.client import Client

HERE = Path(__file__).parent


def folder_of(name: str) -> str:
    """Folder of its presets: its own or, for `aiohttp@3.14.1`, that of `aiohttp`."""
    own = _folder(name)
    return own if (HERE / own).is_dir() else _folder(name.partition("@")[0])


def load(name: str) -> Client:
    """The client of this name, such as `aiohttp@3.9`; it is watched from now on."""
    made: Client = import_library(name).CLIENT()
    return made


def import_library(name: str) -> ModuleType:
    """Import the client of this name with its library, unwatched."""
    return importlib.import_module(
        f"{__name__}.{_folder(name.partition('@')[0])}.adapter"
    )


def _folder(name: str) -> str:
    return name.replace("@", "_").replace(".", "_").replace("-", "_")
