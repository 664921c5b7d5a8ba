"""What a sandbox writes, by positions: read from where an event began, and kept in bounded space."""

import os
from pathlib import Path

LOG_MOST = 4 * 1024 * 1024
LOG_LEFT = 64 * 1024
"""Bytes of a log beyond which its beginning is dropped when the next event comes, and what is left of it then: more
than any invocation reports about itself, and little beside what a function's process takes."""
LOG_READ = 64 * 1024
"""Bytes that are read of one invocation's output, its last ones: errors stand at the end, and callers get 4 KB."""


class LogFile:
    """A file that a process appends to. A position counts the bytes since its beginning, dropped ones too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._dropped = 0

    def __repr__(self) -> str:
        return f"<LogFile {self.path} from {self._dropped}>"

    def mark(self) -> int:
        """Where it ends now. Nobody asks for what came before: if that is long, only its last part is kept.

        What the process writes in that very moment may be lost. Frozen, it writes nothing.
        """
        size = self._size()
        if size > LOG_MOST:
            left = self._read(size - LOG_LEFT)
            os.truncate(self.path, 0)
            with self.path.open("ab") as file:  # as the process does, so neither writes over the other
                file.write(left)
            self._dropped += size - len(left)
        return self._dropped + self._size()

    def since(self, position: int) -> str:
        """What was written since then, as far as it is kept, and of that the last part."""
        return self._read(max(position - self._dropped, self._size() - LOG_READ, 0)).decode(errors="replace")

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def _read(self, start: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(LOG_MOST)
        except FileNotFoundError:
            return b""


class LogText:
    """Pieces of text that arrive one after the other. A position counts the characters since the beginning."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._dropped = self._kept = 0

    def __repr__(self) -> str:
        return f"<LogText {self._kept} characters from {self._dropped}>"

    def add(self, piece: str) -> None:
        """One more piece; of a long text only the last part is kept."""
        self._pieces.append(piece)
        self._kept += len(piece)
        if self._kept > LOG_MOST:
            left = self._tail(LOG_LEFT)
            self._dropped += self._kept - len(left)
            self._pieces, self._kept = [left], len(left)

    def mark(self) -> int:
        """Where it ends now."""
        return self._dropped + self._kept

    def since(self, position: int) -> str:
        """What has arrived since then, as far as it is kept, and of that the last part."""
        return self._tail(min(self.mark() - position, self._kept, LOG_READ))

    def _tail(self, characters: int) -> str:
        found, missing = [], max(characters, 0)
        for piece in reversed(self._pieces):
            if missing <= 0:
                break
            found.append(piece[-missing:])
            missing -= len(found[-1])
        return "".join(reversed(found))
