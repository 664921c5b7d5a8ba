"""What made-up versions of aiohttp call themselves."""

MADE_UP = {"drops-at-checkout": "aiohttp 99.1", "closes-after-answer": "aiohttp 99.2"}
