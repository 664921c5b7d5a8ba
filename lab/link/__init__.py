"""The link between a sandbox and its upstream, cut and lifted in the sandbox's own network namespace."""

from lab.link.side import LinkFailed, SideContainer

__all__ = ["LinkFailed", "SideContainer"]
