"""A real load balancer between function and upstream, with a pool of its own towards the upstream."""

from lab.balancer.config import CONFIGS, BalancerConfig, config_text

__all__ = ["CONFIGS", "BalancerConfig", "config_text"]
