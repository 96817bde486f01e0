"""drupe-flavor-sklearn: scikit-learn models."""

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
