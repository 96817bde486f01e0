"""drupe-flavor-sklearn: scikit-learn models, and autologging of scikit-learn."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_model_flavors() -> list[Offer]:
    return [
        Offer(
            "sklearn",
            load="drupe_flavor_sklearn.flavor:SklearnFlavor",
            help="scikit-learn estimators and pipelines",
            handles=("sklearn.base.BaseEstimator",),
            requires=("scikit-learn=sklearn", "skops"),
        )
    ]


@hookimpl
def drupe_autologgers() -> list[Offer]:
    return [
        Offer(
            "sklearn",
            load="drupe_flavor_sklearn.autolog.autologger:SklearnAutologger",
            help="fits of scikit-learn",
            requires=("scikit-learn=sklearn",),
            settings="drupe_flavor_sklearn.autolog.options:SklearnOptions",
        )
    ]
