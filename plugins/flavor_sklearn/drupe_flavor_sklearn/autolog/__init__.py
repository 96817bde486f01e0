"""Autologging of scikit-learn.

`autologger` says what is watched, `estimators` which classes count; `fitting` is what is logged of one fit, with `arguments`, `scores`,
`plots`, `datasets` and `searches` for its parts; `afterwards` is about what is computed with a model after its fit, and `unchanged` keeps the
user's random numbers and data as they would be without us.
"""
