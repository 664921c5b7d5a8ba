"""The checkout that the lab runs from: where it is, and what its files contain."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def files_of(*parts: str) -> dict[str, bytes]:
    """The files of files and folders, by path from the root; caches left out."""
    found = {}
    for part in parts:
        path = ROOT / part
        for file in [path] if path.is_file() else path.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                found[str(file.relative_to(ROOT))] = file.read_bytes()
    return dict(sorted(found.items()))


def content(files: Mapping[str, bytes]) -> str:
    """A short hash of names and contents."""
    digest = hashlib.sha256()
    for path, data in files.items():
        digest.update(f"{path}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()[:12]
