"""Autologging of LightGBM: `autologger` says what is watched, `logging` what is logged of it."""
