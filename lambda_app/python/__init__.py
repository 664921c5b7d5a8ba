"""The functions in Python. Which authority they trust is set before any TLS library is imported."""

from lambda_app.python.trust import trust_upstream

trust_upstream()
