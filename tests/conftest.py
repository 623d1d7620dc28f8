"""What holds for all tests: Hypothesis judges results, not how busy the machine is."""

from hypothesis import HealthCheck, settings

settings.register_profile("results", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("results")
