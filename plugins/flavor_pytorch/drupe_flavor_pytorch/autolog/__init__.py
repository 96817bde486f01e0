"""Autologging of Lightning: what is watched, what is logged of a fit, and the callback that logs while it runs."""
