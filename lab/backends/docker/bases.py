"""Base images by digest: the same image for everybody, if a registry can be reached.

`images.lock` pins each public base image that a Dockerfile or a balancer names; `make lock-images` writes it. An engine
that has a pinned image, or can pull it, builds from that. Any other engine builds from the name alone: it may be
offline, or have an image of its own under the public name.
"""

import functools
import re
from collections.abc import Iterator, Mapping

import docker
from docker.errors import DockerException

from lab.checkout import ROOT

LOCK = ROOT / "images.lock"
PIN = re.compile(r"(?P<name>\S+:\S+) (?P<digest>sha256:[0-9a-f]{64})")
FROM = re.compile(r"^(?P<head>FROM\s+)(?P<name>\S+:[^\s@]+)(?P<rest>(\s.*)?)$", flags=re.MULTILINE | re.IGNORECASE)


def read_pins(text: str) -> dict[str, str]:
    """Digests by name; raises ValueError at a line that is neither a pin, a comment nor blank."""
    pins = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if not (found := PIN.fullmatch(line.strip())):
            raise ValueError(f"{LOCK.name}:{number}: not `name:tag sha256:...`: {line!r}")
        pins[found["name"]] = found["digest"]
    return pins


def named_in(dockerfile: str) -> Iterator[str]:
    """The base images that a Dockerfile names, stages of its own left out."""
    for found in FROM.finditer(dockerfile):
        yield found["name"]


def pin(dockerfile: str, pins: Mapping[str, str]) -> str:
    """A Dockerfile that builds from the pinned images; what has no pin stays as it is."""

    def pinned(found: re.Match[str]) -> str:
        digest = pins.get(found["name"])
        return f"{found['head']}{found['name']}@{digest}{found['rest']}" if digest else found[0]

    return FROM.sub(pinned, dockerfile)


def pins_here(client: docker.DockerClient) -> dict[str, str]:
    """The pins that this engine has or can pull, by name."""
    pins = read_pins(LOCK.read_text(encoding="utf-8"))
    return {name: digest for name, digest in pins.items() if _has(client, f"{name.rpartition(':')[0]}@{digest}")}


def reference(client: docker.DockerClient, name: str) -> str:
    """What to call a base image: by its pinned digest if this engine has or can pull that, else by its name."""
    return f"{name}@{digest}" if (digest := pins_here(client).get(name)) else name


@functools.cache
def _has(client: docker.DockerClient, pinned: str) -> bool:
    try:
        client.images.get(pinned)
    except DockerException:
        try:
            client.images.pull(pinned)
        except DockerException:
            return False
    return True
