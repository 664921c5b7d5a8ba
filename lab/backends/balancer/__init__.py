"""A real load balancer between function and upstream, with a pool of its own towards the upstream."""

from lab.backends.balancer.config import CONFIGS, BalancerConfig, Patience, config_text

__all__ = ["CONFIGS", "BalancerConfig", "Patience", "config_text"]
