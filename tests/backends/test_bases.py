"""Base images by digest, and by name where a digest cannot be had."""

import pytest

from lab.backends.docker import bases
from lab.backends.docker.bases import named_in, pin, read_pins
from lab.tools.image_digests import base_images

DIGEST = "sha256:" + "0123456789abcdef" * 4
DOCKERFILE = """ARG X=1
FROM python:3.13-slim AS build
RUN echo FROM nothing:1
FROM build
FROM debian:trixie-slim
COPY --from=build /a /b
"""


def test_only_base_images_are_pinned() -> None:
    assert list(named_in(DOCKERFILE)) == ["python:3.13-slim", "debian:trixie-slim"]
    pinned = pin(DOCKERFILE, {"python:3.13-slim": DIGEST, "build:1": DIGEST})
    assert pinned == DOCKERFILE.replace("python:3.13-slim AS", f"python:3.13-slim@{DIGEST} AS")


def test_a_line_that_is_not_a_pin_is_named() -> None:
    assert read_pins(f"# a comment\n\nnginx:stable {DIGEST}\n") == {"nginx:stable": DIGEST}
    with pytest.raises(ValueError, match=r"images\.lock:2"):
        read_pins("# a comment\nnginx:stable sha256:12\n")


def test_the_lock_file_can_be_read() -> None:
    assert set(read_pins(bases.LOCK.read_text())) <= set(base_images())


def test_every_dockerfile_is_looked_at() -> None:
    expected = {"python:3.13-slim", "debian:trixie-slim", "node:20-slim", "nginx:stable", "haproxy:3.0"}
    assert expected <= set(base_images())
