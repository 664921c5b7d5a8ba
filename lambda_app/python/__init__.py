"""The functions in Python. Whom they trust is settled before any TLS library is imported."""

from lambda_app.python.trust import trust_upstream

trust_upstream()
