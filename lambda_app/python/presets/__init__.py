"""How the function makes and uses its client: one short runnable file a setting, ready to be pasted.

Each has `send(method, url, **options) -> status`; one that tidies up when the handler ends has `finish()` too.
"""
