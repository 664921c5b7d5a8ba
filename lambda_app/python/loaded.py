"""Which preset was really loaded, asked of the module and not of what was wanted."""

import hashlib
import inspect
from pathlib import Path
from types import ModuleType


def identity(preset: ModuleType) -> dict[str, str]:
    """The name of the file that the module was loaded from, without its ending, and the file's SHA-256."""
    file = Path(inspect.getfile(preset))
    return {"name": file.stem, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
