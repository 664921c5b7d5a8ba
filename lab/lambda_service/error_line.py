"""The one line of a function's log that says what went wrong, with the file and the line of its code. Pure.

Knows how Python, Node, Go and the JVM print an error that nobody caught, how AWS's runtime clients print one, and the
error documents that they post. A language whose runtime says it in one line states the pattern itself.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from lab.functions.language import languages

LONGEST = 400
"""Longest result in characters: it is shown in tables."""
FAR = 12
"""Lines between an error's name and its first frame, at most: messages may have several, and Node shows the code."""

GROUP_MARGIN = re.compile(r"^ +[|+] ")
PYTHON_TRACE = re.compile(r"(Exception Group )?Traceback \(most recent call last\):")
PYTHON_FRAME = re.compile(r' *File "(?P<file>[^"]+)",? [lL]ine (?P<line>\d+)')
PYTHON_LIBRARY = re.compile(r"^<|/(site|dist)-packages/|/lib/python\d")

NODE_FRAME = re.compile(r"\s+at (?:.*\()?(?:file://)?(?P<file>(?:node:|/)[^\s()?]*)(?:\?\S*)?:(?P<line>\d+):\d+\)?$")
NODE_LIBRARY = re.compile(r"^node:|/node_modules/")
NODE_CODE = re.compile(r"(?:file://)?(?P<file>/\S*):(?P<line>\d+)$")
"""Node shows the code above an error that ends the process; for a syntax error only that names the place."""

JVM_FRAME = re.compile(r"\s+at (?P<of>[\w.$/<>@-]+)\((?P<file>[\w$]+\.(?:java|kt|scala)):(?P<line>\d+)\)")
JVM_LIBRARY = re.compile(r"^(?:[\w.@-]+/)?(?:java|javax|jdk|sun|com\.sun|com\.amazonaws\.services\.lambda\.runtime)\.")
STACK_ENTRY = re.compile(r"\s+at |\s+\.\.\. \d+ more")

GO_PANIC = re.compile(r"(?:panic|fatal error): .+")
GO_FRAME = re.compile(r"\t(?P<file>[^\s:]+\.go):(?P<line>\d+)")
GO_LIBRARY = re.compile(r"/go(?:lang)?[^/]*/src/|/pkg/mod/|^(?:runtime|reflect|github\.com/aws/aws-lambda-go[^/]*)/")

NAMED = re.compile(r"(?:\[ERROR\] )?(?:Uncaught )?(?:Exception in thread \"[^\"]*\" |Caused by: )?(?P<error>\S.*)")
EXCEPTION = re.compile(r"(?:\[ERROR\] )?[A-Za-z_][\w.$]*(?:: .*)?$")


@dataclass(frozen=True, slots=True)
class Place:
    """A frame of a stack."""

    file: str
    line: str
    library: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Found:
    """An error in a log: where in it, what it says, and where in the code it happened."""

    at: int
    error: str
    place: Place | None

    def __str__(self) -> str:
        named = NAMED.fullmatch(self.error.strip())
        error = (named["error"] if named else self.error.strip()) or "an error without a name"
        where = f" ({self.place})" if self.place else ""
        return error[: LONGEST - len(where)] + where


def error_line(log: str) -> str | None:
    """The last error that a log names, such as `NameError: name 'x' is not defined (/p/sane.py:12)`; None without one.

    The place is the innermost one outside libraries, if there is one.
    """
    lines = [line for piece in _lines(log) for line in (_of_document(piece) or [piece])]
    found = [*_python(lines), *_stacks(lines, NODE_FRAME, NODE_LIBRARY), *_stacks(lines, JVM_FRAME, JVM_LIBRARY)]
    found += [*_go(lines), *_bare(lines), *_stated(lines)]
    best = max(found, key=lambda error: (error.place is not None, error.at), default=None)
    return str(best) if best else None


def _lines(log: str) -> list[str]:
    """AWS's client for Python ends the lines of an error with a carriage return and indents with U+00A0."""
    lines = re.split(r"\r\n|\r|\n", log.replace("\N{NO-BREAK SPACE}", " "))
    return [GROUP_MARGIN.sub("", line) for line in lines]


def _of_document(line: str) -> list[str] | None:
    """The lines that an error document stands for: a runtime client's, alone or behind its log's prefix."""
    start = line.find('{"error')
    if start < 0:
        return None
    try:
        document, _ = json.JSONDecoder().raw_decode(line[start:])
    except (ValueError, RecursionError):
        return None
    if not document.get("errorType"):
        return None
    error = f"{document['errorType']}: {document.get('errorMessage') or ''}".rstrip(": ")
    stack: object = next((document[key] for key in ("stackTrace", "trace", "stack") if document.get(key)), [])
    shown = [_frame(frame) for frame in stack] if isinstance(stack, list) else []
    if any(PYTHON_FRAME.match(frame) for frame in shown):
        return [f"[ERROR] {error}", "Traceback (most recent call last):", *"\n".join(shown).splitlines()]
    return [f"[ERROR] {error}", *"\n".join(shown).splitlines()]


def _frame(frame: object) -> str:
    """A document's frame as a log has it: Python and Node post text, Java names of methods, Go objects."""
    if isinstance(frame, dict):
        return f"\t{frame.get('path', '')}:{frame.get('line', 0)}"
    text = str(frame)
    return f"\tat {text}" if JVM_FRAME.match(f"\tat {text}") else text


def _place(frame: re.Match[str], library: re.Pattern[str], subject: str = "file") -> Place:
    return Place(frame["file"], frame["line"], bool(library.search(frame[subject])))


def _python(lines: Sequence[str]) -> Iterator[Found]:
    """Tracebacks: the error stands behind the frames or, in the log of AWS's client, before them."""
    end = 0
    for start, line in enumerate(lines):
        if start < end or not (PYTHON_TRACE.match(line) or PYTHON_FRAME.match(line)):
            continue
        above = next((i for i in range(start, max(start - FAR, end - 1), -1) if lines[i].startswith("[ERROR] ")), None)
        later = range(start + 1, len(lines))
        end = next((i for i in later if lines[i].strip() and not lines[i].startswith(" ")), len(lines))
        frames = [_place(match, PYTHON_LIBRARY) for text in lines[start:end] if (match := PYTHON_FRAME.match(text))]
        if above is not None:
            yield Found(above, lines[above], _innermost(frames[::-1]))
        elif end < len(lines) and frames:
            yield Found(end, lines[end], _innermost(frames[::-1]))


def _stacks(lines: Sequence[str], frame: re.Pattern[str], library: re.Pattern[str]) -> Iterator[Found]:
    """Stacks that are printed below their error, the innermost frame first."""
    subject = "of" if frame is JVM_FRAME else "file"
    for start, line in enumerate(lines):
        if not start or not STACK_ENTRY.match(line) or STACK_ENTRY.match(lines[start - 1]):
            continue
        stack = takewhile(STACK_ENTRY.match, lines[start:])
        frames = [_place(match, library, subject) for text in stack if (match := frame.match(text))]
        if not frames or lines[start - 1].startswith("Emitted 'error' event"):
            continue
        place = _innermost(frames)
        if place is None or place.library:
            shown = (NODE_CODE.match(lines[i]) for i in range(max(start - FAR, 0), start))
            place = next((_place(code, NODE_LIBRARY) for code in shown if code), place)
        error = _error_above(lines, start)
        if place and place.library and "SyntaxError" in error:
            place = None  # the parser's frames: Node does not say in which imported module the error is
        yield Found(start, error, place)


def _error_above(lines: Sequence[str], start: int) -> str:
    """The line that names the error: the nearest above that looks like one, else the one just above."""
    for i in range(start - 1, max(start - FAR, -1), -1):
        named = NAMED.fullmatch(lines[i])
        if named and EXCEPTION.fullmatch(named["error"]) and ":" in lines[i]:
            return lines[i]
    return lines[start - 1]


def _go(lines: Sequence[str]) -> Iterator[Found]:
    for start, line in enumerate(lines):
        if GO_PANIC.match(line) or (line.startswith("[ERROR] ") and lines[start + 1 : start + 2]):
            below = lines[start + 1 :]
            frames = [_place(match, GO_LIBRARY) for text in below if (match := GO_FRAME.match(text))]
            if frames:
                yield Found(start, line, _innermost(frames))


def _bare(lines: Sequence[str]) -> Iterator[Found]:
    """The error's name as the runtime client gives it, without a place."""
    for start, line in enumerate(lines):
        if line.startswith("[ERROR] ") or GO_PANIC.match(line):
            yield Found(start, line, None)


def _stated(lines: Sequence[str]) -> Iterator[Found]:
    """What a language says of its own runtime."""
    for pattern in (language.uncaught for language in languages()):
        for number, line in enumerate(lines):
            if pattern is not None and (said := pattern.fullmatch(line)):
                yield Found(number, said["error"], Place(said["file"], said["line"], library=False))


def _innermost(frames: Sequence[Place]) -> Place | None:
    """Of frames with the innermost first: the first of the user's own code, else the first."""
    return next((place for place in frames if not place.library), next(iter(frames), None))
