"""What differs by HTTP client library: one file a library, imported only where that library runs."""

import importlib

from lambda_app.python.clients.base import Client


def load(name: str) -> Client:
    """The client of this name (`aiohttp`, `aiohttp@3.9`, `http.client` ...), watched from now on."""
    library = name.partition("@")[0].replace(".", "_")
    made: Client = importlib.import_module(f"{__name__}.{library}").CLIENT()
    return made
