"""`executed`: the app carried the request out, and nothing of its answer is sent.

On the wire: the request is acknowledged, then what the rule does; not a byte of the answer.
The client sees: what it sees at `request-head`, while the order is made: the two cannot be told apart from its
side. A blind retry makes the order twice; an idempotency key makes it once. An answer that is replayed for such a
key is lost too, though nothing was executed for it.
Faithful to: a process that is killed between commit and answer, a load balancer's or NAT gateway's reset while
the answer is under way, a worker timeout that ends the answer and not the work.
"""

from upstream_server.moments import Moment, register

EXECUTED = register(
    Moment(
        "executed",
        __doc__,
        when="after executing its request {number}, before the answer",
        point="answer-begins",
    )
)
