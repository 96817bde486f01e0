"""For all tests of the house: a busy machine is no fault of the code, so hypothesis does not mind how long examples take."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
