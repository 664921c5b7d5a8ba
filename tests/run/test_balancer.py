"""What a balancer is told: its patience with both sides, and to say that a request passed through it."""

import pytest

from lab.backends.balancers import FOR_EVER_S, BalancerConfig, Patience, config_text, version_of
from lab.scenario.parts import Balancer
from lab.scenario.words import BalancerServer

EXPECTED: dict[BalancerServer, dict[str, str]] = {
    "nginx": {
        "upstream": "keepalive 16;\n    keepalive_timeout 600ms;",
        "client": "listen 127.0.0.1:80;\n    keepalive_timeout 300ms;",
        "via": 'proxy_set_header Via "1.1 nginx";',
    },
    "haproxy": {
        "upstream": "pool-purge-delay 600ms",
        "client": "timeout http-keep-alive 300ms",
        "via": 'http-request set-header Via "1.1 haproxy"',
    },
}


@pytest.mark.parametrize("server", EXPECTED)
def test_a_balancer_keeps_connections_as_long_as_its_scenario_says(server: BalancerServer) -> None:
    stated = Balancer.model_validate({"server": server, "idle_timeout": "60s", "client_timeout": "30s"})
    config = BalancerConfig(server, "127.0.0.1", 80, "127.0.0.1", 81, Patience.of(stated, 100.0), "/tmp")
    text = config_text(config)
    for line in EXPECTED[server].values():
        assert line in text


def test_what_is_not_stated_is_for_ever_at_any_speed() -> None:
    assert Patience.of(Balancer(), 10_000.0) == Patience(0.006, FOR_EVER_S)


def test_nginxs_own_folder_stands_in_quotes() -> None:
    config = BalancerConfig("nginx", "127.0.0.1", 80, "127.0.0.1", 81, Patience.of(Balancer(), 1.0), r'/tmp/ä "b" \c;')
    assert 'pid "/tmp/ä \\"b\\" \\\\c;/nginx.pid";' in config_text(config)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        (b"nginx version: nginx/1.28.0\n", "1.28.0"),
        (
            b"HAProxy version 3.0.11-0a5c3b8 2025/06/03 - https://haproxy.org/\nStatus: long-term supported\n",
            "3.0.11-0a5c3b8",
        ),
        (b"HA-Proxy version 2.2.9-2+deb11u6 2023/08/12\n", "2.2.9-2+deb11u6"),
        (b"sh: nginx: not found\n", None),
    ],
)
def test_its_version_is_read_from_what_it_prints(said: bytes, version: str | None) -> None:
    assert version_of(said) == version
