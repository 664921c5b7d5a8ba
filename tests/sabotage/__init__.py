"""The laboratory under attack: lies that are told to it one at a time, and the proof that each of them misses.

A lie breaks one thing that a verdict rests on: the moment of a death, its cause, the freeze, what was sent, an axis
that is stated, an event of the journal. The honest twin of each passes (or is `measured`, in the matrix), so a lie
that leaves the verdict as it is would be a green by accident.

    python -m tests.sabotage                every lie; exit status 0 only where each turns its verdict
    python -m tests.sabotage --short        about one of each kind
    python -m tests.sabotage --only NAME    those whose name contains it
"""
