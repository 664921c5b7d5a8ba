"""How long tests wait before they fail, in real seconds: bounds on what should come at once, not pauses.

A bound that is too large costs time only when something is broken; one that is too small fails a good test on a busy
machine. Each is shorter than pytest's own limit for a test, which has room for two of them, so that
the test says what it waited for.
"""

PATIENCE = 20.0
"""For one answer, event, thread or process of a program that runs already."""
COMMAND_PATIENCE = 100.0
"""For a whole command to end, and for what a Docker Engine does: it starts interpreters and containers."""
BUILD_PATIENCE = 280.0
"""For images to be built from nothing. Tests that wait so long have a limit of their own."""

LOOK = 0.002
"""Between two looks at what announces no change: states of processes, sockets, files and containers."""
PAUSE = 0.05
"""Long enough for what must not happen to be seen if it does: a wrong freeze takes well under a millisecond."""
