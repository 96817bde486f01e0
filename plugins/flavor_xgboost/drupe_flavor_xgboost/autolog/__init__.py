"""Autologging of XGBoost: `autologger` says what is watched, `logging` what is logged of it, `options` what can be asked for."""
