"""A lab that serves, as a process of its own, and calls to it."""

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore
import botocore.config

from lab.cleanup.procfs import lab_mark
from tests.patience import COMMAND_PATIENCE
from tests.run.command import running


@dataclass(slots=True)
class Served:
    """A lab that serves, and what it has said so far."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    _lines: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def read(self) -> None:
        """Take down every line; runs in a thread of its own."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def wait_for(self, *words: str) -> str:
        """The next line that holds all of the words."""
        while True:
            self.said.append(self._lines.get(timeout=COMMAND_PATIENCE))
            if all(word in self.said[-1] for word in words):
                return self.said[-1]

    @property
    def url(self) -> str:
        return next(line.split()[2] for line in self.said if line.startswith("Invoke API"))

    @property
    def mark(self) -> str:
        return lab_mark(self.process.pid)

    def goes_stale(self, request: str) -> None:
        """Wait until the upstream has given up the connection that the request came on."""
        came = self.wait_for("upstream", "executed", f" request={request} ")
        connection = next(word for word in came.split() if word.startswith("connection="))
        self.wait_for("upstream", "gave-up", f" {connection} ", "mode=vanish")


Invoke = Callable[..., tuple[Any, Any]]


@contextmanager
def invoking(url: str, **options: str) -> Iterator[Invoke]:
    """Invokes the function by boto3; gives the answer and its payload. An argument is the id of the request."""
    keys = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    client = boto3.client("lambda", endpoint_url=url, config=once, **keys)

    def invoke(request: str, *, path: str = "/orders", **event: str) -> tuple[Any, Any]:
        payload = json.dumps({"requests": [{"id": request, "path": path}]} | event).encode()
        answer = client.invoke(FunctionName="thawlab", Payload=payload, **options)
        return answer, json.loads(answer["Payload"].read() or "null")

    yield invoke
    client.close()


@contextmanager
def serving(*options: str, **environment: str) -> Iterator[Served]:
    with running("serve", *options, **environment) as process:
        served = Served(process)
        reader = threading.Thread(target=served.read)
        reader.start()
        try:
            served.wait_for("Ctrl-C ends it")
            yield served
        finally:
            process.kill()
            reader.join(COMMAND_PATIENCE)
