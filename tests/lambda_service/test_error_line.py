"""The line of a log that names the error: texts as the languages print them, and as AWS's runtime clients do."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.lambda_service.error_line import LONGEST, error_line

LOGS = {
    "python: an exception with a cause": """\
Traceback (most recent call last):
  File "/tmp/pl/p.py", line 4, in <module>
    f()
  File "/tmp/pl/p.py", line 2, in f
    return undefined_thing
           ^^^^^^^^^^^^^^^
NameError: name 'undefined_thing' is not defined

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/tmp/pl/p.py", line 6, in <module>
    raise ValueError("two\\nlines") from e
ValueError: two
lines
""",
    "python: a syntax error in the main file": """\
  File "/tmp/pl/s.py", line 1
    let =
          ^
SyntaxError: invalid syntax
""",
    "python: a group": """\
  + Exception Group Traceback (most recent call last):
  |   File "/tmp/pl/eg.py", line 6, in <module>
  |     asyncio.run(main())
  |   File "/root/.pyenv/versions/3.11.7/lib/python3.11/asyncio/runners.py", line 190, in run
  |     return runner.run(main)
  |            ^^^^^^^^^^^^^^^^
  |   File "/root/.pyenv/versions/3.11.7/lib/python3.11/asyncio/runners.py", line 118, in run
  |     return self._loop.run_until_complete(task)
  |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |   File "/root/.pyenv/versions/3.11.7/lib/python3.11/asyncio/base_events.py", line 653, in run_until_complete
  |     return future.result()
  |            ^^^^^^^^^^^^^^^
  |   File "/tmp/pl/eg.py", line 4, in main
  |     async with asyncio.TaskGroup() as g:
  |   File "/root/.pyenv/versions/3.11.7/lib/python3.11/asyncio/taskgroups.py", line 145, in __aexit__
  |     raise me from None
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/tmp/pl/eg.py", line 2, in f
    |     async def f(): raise OSError(104, "Connection reset by peer")
    |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    | ConnectionResetError: [Errno 104] Connection reset by peer
    +------------------------------------
""",
    "node: below its own frames": """\
x
node:fs:573
  return binding.open(
                 ^

Error: ENOENT: no such file or directory, open '/nonexistent/x'
    at Object.openSync (node:fs:573:18)
    at readFileSync (node:fs:452:35)
    at file:///tmp/pl/n.mjs:4:1
    at ModuleJob.run (node:internal/modules/esm/module_job:325:25)
    at async ModuleLoader.import (node:internal/modules/esm/loader:606:24)
    at async asyncRunEntryPointWithESMLoader (node:internal/modules/run_main:117:5) {
  errno: -2,
  code: 'ENOENT',
  syscall: 'open',
  path: '/nonexistent/x'
}

Node.js v20.20.2
""",
    "node: a syntax error": """\
file:///tmp/pl/s.mjs:2
let b = ;
        ^

SyntaxError: Unexpected token ';'
    at compileSourceTextModule (node:internal/modules/esm/utils:346:16)
    at ModuleLoader.moduleStrategy (node:internal/modules/esm/translators:146:18)
    at #translate (node:internal/modules/esm/loader:497:12)
    at ModuleLoader.loadAndTranslate (node:internal/modules/esm/loader:544:27)
    at async ModuleJob._link (node:internal/modules/esm/module_job:148:19)

Node.js v20.20.2
""",
    "node: an error event without a listener": """\
node:events:502
      throw er; // Unhandled 'error' event
      ^

Error: connect ECONNREFUSED 127.0.0.1:1
    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)
Emitted 'error' event on Socket instance at:
    at emitErrorNT (node:internal/streams/destroy:169:8)
    at emitErrorCloseNT (node:internal/streams/destroy:128:3)
    at process.processTicksAndRejections (node:internal/process/task_queues:82:21) {
  errno: -111,
  code: 'ECONNREFUSED',
  syscall: 'connect',
  address: '127.0.0.1',
  port: 1
}

Node.js v20.20.2
""",
    "go: a panic": """\
hi
panic: runtime error: index out of range [5] with length 1

goroutine 1 [running]:
main.f(...)
\t/tmp/pl/g.go:5
main.main()
\t/tmp/pl/g.go:8 +0x4c
exit status 2
""",
    "java: a cause": """\
Exception in thread "main" java.lang.RuntimeException: outer
\tat J.main(J.java:4)
Caused by: java.lang.IllegalStateException: inner
\tat J.f(J.java:2)
\tat J.main(J.java:4)
\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)
\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke(NativeMethodAccessorImpl.java:77)
\tat java.base/jdk.internal.reflect.DelegatingMethodAccessorImpl.invoke(DelegatingMethodAccessorImpl.java:43)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
\tat jdk.compiler/com.sun.tools.javac.launcher.Main.execute(Main.java:419)
\tat jdk.compiler/com.sun.tools.javac.launcher.Main.run(Main.java:192)
\tat jdk.compiler/com.sun.tools.javac.launcher.Main.main(Main.java:132)
""",
}


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("python: an exception with a cause", "ValueError: two (/tmp/pl/p.py:6)"),
        ("python: a syntax error in the main file", "SyntaxError: invalid syntax (/tmp/pl/s.py:1)"),
        ("python: a group", "ConnectionResetError: [Errno 104] Connection reset by peer (/tmp/pl/eg.py:2)"),
        (
            "node: below its own frames",
            "Error: ENOENT: no such file or directory, open '/nonexistent/x' (/tmp/pl/n.mjs:4)",
        ),
        ("node: a syntax error", "SyntaxError: Unexpected token ';' (/tmp/pl/s.mjs:2)"),
        ("node: an error event without a listener", "Error: connect ECONNREFUSED 127.0.0.1:1 (node:net:1611)"),
        ("go: a panic", "panic: runtime error: index out of range [5] with length 1 (/tmp/pl/g.go:5)"),
        ("java: a cause", "java.lang.IllegalStateException: inner (J.java:2)"),
    ],
)
def test_what_a_language_prints(log: str, line: str) -> None:
    assert error_line(LOGS[log]) == line
    assert error_line(f"something before\n{LOGS[log]}and after\n") == line


def test_the_last_error_speaks() -> None:
    assert error_line(LOGS["go: a panic"] + LOGS["python: a group"]) == error_line(LOGS["python: a group"])
    assert error_line(LOGS["python: a group"] + LOGS["go: a panic"]) == error_line(LOGS["go: a panic"])


def test_python_of_today_prints_what_is_read(tmp_path: Path) -> None:
    """No text of the test's own making: the interpreter prints it."""
    file = tmp_path / "it's a preset.py"
    file.write_text("import json\n\ndef send():\n    return json.loads(undefined)\n\nsend()\n")
    printed = subprocess.run((sys.executable, file), capture_output=True, text=True, check=False).stderr
    assert error_line(printed) == f"NameError: name 'undefined' is not defined ({file}:4)"


def test_the_place_is_the_users_own_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "preset.py"
    file.write_text("import json\n\njson.loads('[')\n")
    printed = subprocess.run((sys.executable, file), capture_output=True, text=True, check=False).stderr
    assert error_line(printed) == f"json.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1) ({file}:3)"


def test_a_traceback_is_not_joined_to_the_error_before_it() -> None:
    first = '[ERROR] KeyError: 1\rTraceback (most recent call last):\r  File "/a.py", line 1, in f\n'
    for between in ("", "said\n", "[ERROR]\t2026-11-26T06:52:28.000Z\t\tit failed\n"):
        assert (
            error_line(first + between + LOGS["python: an exception with a cause"])
            == "ValueError: two (/tmp/pl/p.py:6)"
        )


NBSP = "\N{NO-BREAK SPACE}"


def test_the_log_of_awslambdaric() -> None:
    printed = (
        "[WARNING]\t2026-11-26T06:52:28.000Z\t\tLAMBDA_WARNING: Unhandled exception.\n"
        "[ERROR] NameError: name 'x' is not defined\rTraceback (most recent call last):\r"
        f'{NBSP * 2}File "/app/handler.py", line 9, in handler\r{NBSP * 4}return send()\r'
        f'{NBSP * 2}File "/app/presets/p.py", line 3, in send\r{NBSP * 4}x\n'
    )
    assert error_line(printed) == "NameError: name 'x' is not defined (/app/presets/p.py:3)"
    printed = (
        "[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'm': invalid syntax (m.py, line 3)\r"
        f'Traceback (most recent call last):\r{NBSP * 2}File "/app/m.py" Line 3\r{NBSP * 4}let = 1\n'
    )
    assert str(error_line(printed)).endswith("(/app/m.py:3)")
    assert error_line(
        "[ERROR] Runtime.ImportModuleError: No module named 'q'\rTraceback (most recent call last):\n"
    ) == ("Runtime.ImportModuleError: No module named 'q'")


def test_the_documents_of_runtime_clients() -> None:
    node: dict[str, Any] = {
        "errorType": "ReferenceError",
        "errorMessage": "x is not defined",
        "trace": [
            "ReferenceError: x is not defined",
            "    at send (file:///app/presets/undici/p.mjs:3:10)",
            "    at handler (file:///app/handler.mjs:9:3)",
        ],
    }
    expected = "ReferenceError: x is not defined (/app/presets/undici/p.mjs:3)"
    assert error_line(json.dumps(node)) == expected
    node["trace"][1] = "    at send (file:///app/presets/undici/p.mjs?1:3:10)"  # loaded again, for another cell
    assert error_line(json.dumps(node)) == expected
    logged = f"2026-11-26T06:52:28.000Z\tundefined\tERROR\tUncaught Exception \t{json.dumps(node)}\n"
    assert error_line(logged) == expected
    unparsed = {
        "errorType": "Runtime.UserCodeSyntaxError",
        "errorMessage": "SyntaxError: Unexpected token ';'",
        "stack": ["SyntaxError: Unexpected token ';'", "    at compile (node:internal/modules/esm/utils:319:16)"],
    }
    assert error_line(json.dumps(unparsed)) == "SyntaxError: Unexpected token ';'"
    python = {
        "errorType": "KeyError",
        "errorMessage": "'a'",
        "stackTrace": ['  File "/app/h.py", line 7, in f\n    d\n'],
    }
    assert error_line(json.dumps(python)) == "KeyError: 'a' (/app/h.py:7)"
    java = {
        "errorMessage": "no",
        "errorType": "java.lang.IllegalStateException",
        "stackTrace": ["java.base/java.util.Optional.get(Optional.java:143)", "lab.Handler.handle(Handler.java:31)"],
    }
    assert error_line(json.dumps(java)) == "java.lang.IllegalStateException: no (Handler.java:31)"
    go = {
        "errorMessage": "boom",
        "errorType": "string",
        "stackTrace": [
            {"path": "runtime/panic.go", "line": 770, "label": "gopanic"},
            {"path": "lab/main.go", "line": 5},
        ],
    }
    assert error_line(json.dumps(go)) == "string: boom (lab/main.go:5)"


@pytest.mark.parametrize(
    "log", ["", "\n", "hello", "at the sea", '{"error": 1}', '{"error', "    at nothing", "panic", "\x00\ud800"]
)
def test_no_error(log: str) -> None:
    assert error_line(log) is None


def test_it_is_one_line_of_bounded_length() -> None:
    line = error_line(
        "[ERROR] " + "é" * 10_000 + "\rTraceback (most recent call last):\r" + f'{NBSP}File "/p.py", line 1\n'
    )
    assert line is not None
    assert len(line) == LONGEST
    assert line.endswith(" (/p.py:1)")
