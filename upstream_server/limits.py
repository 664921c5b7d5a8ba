"""How much the upstream remembers. Beyond a limit the oldest is dropped, so memory stays level however long it runs.

All of them are far beyond what a run of an arm, a cell or a workshop makes (some hundred requests on a listener):
they are there for a listener that serves for days. Read when something is added, so a test can lower them.
"""

REQUESTS = 10_000
"""Logical requests, orders, and replayable answers that a listener's ledger knows: some 10 MB. A retry comes within
minutes at the latest, and finds its first try in the books as long as fewer requests than this came in between."""

CONNECTIONS = 10_000
"""Connections that have ended, by whichever side, of which a listener keeps the record: some 5 MB. What still comes
for a given-up one is seen as late as long as fewer connections than this ended after it."""

EVENTS = 50_000
"""Events that a late reader can still get: some hundred runs of an arm, in about 40 MB at the worst. The lab reads
along; this is how far it may fall behind, some ten seconds of what one process can serve."""
