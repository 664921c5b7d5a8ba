"""The connection died as stated, of something else."""

from dataclasses import replace

from lab.scenario.steps.restart import Restart
from tests.sabotage.breaks import nothing, other_upstream, otherwise
from tests.sabotage.lie import Arm, Break, tell
from tests.sabotage.stories import BUG, CONTROL, FIX, RESET, SEED_CELL, arm, of_the_catalogue, story

KIND = "cause"

DEPLOY = "invoke, freeze: 3m, restart: rst, freeze: 3m, invoke"
RESTARTED = Arm(story(arm("arrived", "contrast", RESET), link="delivered", timeline=DEPLOY), "arrived")
tell(
    "no-restart",
    KIND,
    "lab",
    "The upstream does not restart; its idle timeout ends the connection in place of that.",
    RESTARTED,
    break_it=Break(patches={(Restart, "perform"): nothing}),
    expected="gap 1 states that the upstream restarts, but it did not happen",
    short=True,
)
tell(
    "idle-timeout-in-place-of-a-restart",
    KIND,
    "lab",
    "The same in a gap in which no idle timeout is stated to end anything.",
    of_the_catalogue("deploy-while-frozen", "rst-arrived"),
    break_it=Break(
        backend=other_upstream(idle_timeout=15.0).backend,
        patches={(Restart, "perform"): nothing},
    ),
    expected="cause_as_stated",
)
SLEPT = Arm(story(BUG, upstream="{idle_timeout: 300s, close: vanish}"), "bug")
tell(
    "the-gateway-did-it",
    KIND,
    "upstream",
    "A gateway forgot the connection before the upstream's own timeout.",
    SLEPT,
    break_it=other_upstream(gateway_timeout=250.0),
    expected="cause_as_stated",
)
GATEWAY = Arm(story(BUG, upstream="{gateway_timeout: 300s}", link="delivered"), "bug")
tell(
    "no-gateway",
    KIND,
    "upstream",
    "The upstream's own timeout ended it, where a gateway is stated.",
    GATEWAY,
    break_it=other_upstream(gateway_timeout=None, idle_timeout=300.0, close="vanish"),
    expected="cause_as_stated",
)
AGED = Arm(story(BUG, upstream="{max_age: 300s, close: vanish}", link="delivered"), "bug")
tell(
    "not-of-age",
    KIND,
    "upstream",
    "An idle timeout ended it, where its age is stated.",
    AGED,
    break_it=other_upstream(max_age=None, idle_timeout=300.0),
    expected="cause_as_stated",
)
FIN = Arm(
    story(
        arm("bug", "bug", "outcome: [eof, closed-locally, reset], executions: [1, 0]"),
        upstream="{idle_timeout: 300s, close: fin}",
        link="delivered",
    ),
    "bug",
)
tell(
    "other-close-mode",
    KIND,
    "upstream",
    "The upstream resets what it should close with a FIN.",
    FIN,
    replace(SEED_CELL, mode="fin"),
    break_it=other_upstream(close="rst"),
    expected=("cause_as_stated", "ended by rst"),
)
tell(
    "deaf-fix",
    KIND,
    "upstream",
    "The fix's own connection is reset, where it should vanish.",
    Arm(story(BUG, FIX, upstream="{idle_timeout: 300s, close: vanish}", link="delivered"), "fix"),
    break_it=other_upstream(close="rst"),
    expected="cause_as_stated",
)
tell(
    "link-not-cut",
    KIND,
    "lab",
    "The close arrives, where the link is to lose it.",
    Arm(story(BUG), "bug"),
    break_it=otherwise(link="delivered"),
    expected="client_tcp_state",
)
PROBES = of_the_catalogue("gateway-probes", "probes")
tell(
    "nothing-was-to-die",
    KIND,
    "upstream",
    "A control whose upstream loses patience in its short gap.",
    CONTROL,
    break_it=other_upstream(idle_timeout=60.0),
    expected="no_fault",
)
tell(
    "no-gateway-to-outlive",
    KIND,
    "upstream",
    "Probes keep a connection that no gateway would have forgotten.",
    PROBES,
    break_it=other_upstream(gateway_timeout=None, gateway_refresh="requests"),
    expected="gap_passed_limit",
)
