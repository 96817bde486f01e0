"""drupe-flavor-lightgbm: LightGBM models, and autologging of LightGBM."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_model_flavors() -> list[Offer]:
    return [
        Offer(
            "lightgbm",
            load="drupe_flavor_lightgbm.flavor:LightGBMFlavor",
            help="LightGBM boosters and estimators",
            handles=("lightgbm.basic.Booster", "lightgbm.sklearn.LGBMModel"),
            requires=("lightgbm", "skops"),
        )
    ]


@hookimpl
def drupe_autologgers() -> list[Offer]:
    return [
        Offer(
            "lightgbm",
            load="drupe_flavor_lightgbm.autolog.autologger:LightGBMAutologger",
            help="trainings of LightGBM",
            requires=("lightgbm",),
        )
    ]
