"""The images that the lab builds. An image is named by the content of its files, so it is built when they change."""

import io
import re
import tarfile
from collections.abc import Mapping

import docker
from docker.errors import APIError, BuildError, ImageNotFound

from lab.backends.docker.bases import pin, pins_here
from lab.backends.docker.errors import engine_errors
from lab.checkout import ROOT, content
from lab.errors import EnvironmentLacks
from lab.functions.program import Image

UPSTREAM = Image("thawlab-upstream", "upstream_server/Dockerfile", ("upstream_server",))
LINK = Image(
    "thawlab-link",
    "lab/backends/docker/Dockerfile",
    (
        "lab/backends/docker/agent.py",
        "lab/backends/clock_page.py",
        "upstream_server/__init__.py",
        "upstream_server/sock_diag.py",
    ),
)

SILENCE = 900
"""Real seconds for which a build may print nothing: Node's runtime client compiles for two minutes without a word."""
BUILDERS_OWN = ("Step ", "--->", "Removing intermediate container ", "Successfully ")
"""How the builder's own lines begin, among those that a build's commands print."""
IN_RED = "\x1b[91m"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""How the builder passes on what a command prints to standard error, and what a terminal would make of colours."""


def image(client: docker.DockerClient, wanted: Image) -> str:
    """The tag of the image, built if it is not there yet; raises EnvironmentLacks if it cannot be built."""
    files = wanted.files()
    files[wanted.dockerfile] = pin(files[wanted.dockerfile].decode(), pins_here(client)).encode()
    tag = f"{wanted.name}:{content(files)}"
    with engine_errors():
        _build_unless_there(client, wanted, files, tag)
    return tag


def _build_unless_there(client: docker.DockerClient, wanted: Image, files: Mapping[str, bytes], tag: str) -> None:
    try:
        client.images.get(tag)
    except ImageNotFound:
        try:
            # rm and forcerm: containers of the build go with it, also of one that failed.
            client.images.build(
                fileobj=archive(files),
                custom_context=True,
                dockerfile=wanted.dockerfile,
                buildargs=dict(wanted.arguments),
                tag=tag,
                rm=True,
                forcerm=True,
                timeout=SILENCE,
            )
        except (BuildError, APIError) as error:
            arguments = "".join(f" --build-arg {name}={value}" for name, value in wanted.arguments)
            raise EnvironmentLacks(
                f"{wanted.dockerfile}: the image cannot be built: {_complaint(error)}\n"
                f"try: docker build -f {wanted.dockerfile}{arguments} {ROOT}"
            ) from error


def archive(files: Mapping[str, bytes]) -> io.BytesIO:
    """The files as a tar archive, which is what an engine builds from: nothing else of the folder reaches it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    packed.seek(0)
    return packed


def _complaint(error: BuildError | APIError) -> str:
    """The last error that a failed build's own command printed, else its last line, else what the engine says."""
    streams = []
    if isinstance(error, BuildError):
        streams = [entry.get("stream", "") for entry in error.build_log if isinstance(entry, dict)]
    for candidates in ([text for text in streams if text.startswith(IN_RED)], streams):
        lines = [line.strip() for text in candidates for line in COLOUR.sub("", text).splitlines()]
        printed = [line for line in lines if line and not line.startswith(BUILDERS_OWN)]
        if printed:
            return printed[-1]
    return str(error).splitlines()[0]
