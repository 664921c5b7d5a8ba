"""How the function makes and uses its client: one short runnable file a setting.

Each is ready to be pasted and has `send(method, url, **options) -> status`; one that
tidies up when the handler ends has `finish()` too.
"""
