"""What differs by HTTP client library: a folder each, imported only if it runs."""

import importlib
from pathlib import Path

from lambda_app.python.client import Client

HERE = Path(__file__).parent


def folder_of(name: str) -> str:
    """Of its presets: `aiohttp@3.9` has a folder, `aiohttp@3.14.1` has aiohttp's."""
    own = _folder(name)
    return own if (HERE / own).is_dir() else _folder(name.partition("@")[0])


def load(name: str) -> Client:
    """The client of this name, such as `aiohttp@3.9`; it is watched from now on."""
    library = _folder(name.partition("@")[0])
    made: Client = importlib.import_module(f"{__name__}.{library}.adapter").CLIENT()
    return made


def _folder(name: str) -> str:
    return name.replace("@", "_").replace(".", "_").replace("-", "_")
