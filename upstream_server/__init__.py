"""The upstream: an HTTP server that closes idle pooled connections on purpose, and says what it saw.

One process hosts any number of listeners. A listener is one address with its own behaviour, connections
and ledger. `python -m upstream_server` runs one; the control API makes, changes and deletes them.
This package uses nothing of the laboratory: it goes alone into a container.
"""
