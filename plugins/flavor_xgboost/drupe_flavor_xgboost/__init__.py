"""drupe-flavor-xgboost: XGBoost models, and autologging of XGBoost."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_model_flavors() -> list[Offer]:
    return [
        Offer(
            "xgboost",
            load="drupe_flavor_xgboost.flavor:XGBoostFlavor",
            help="XGBoost boosters and estimators",
            handles=("xgboost.core.Booster", "xgboost.sklearn.XGBModel"),
            requires=("xgboost",),
        )
    ]


@hookimpl
def drupe_autologgers() -> list[Offer]:
    return [
        Offer(
            "xgboost",
            load="drupe_flavor_xgboost.autolog.autologger:XGBoostAutologger",
            help="trainings of XGBoost",
            requires=("xgboost",),
            settings="drupe_flavor_xgboost.autolog.options:XGBoostOptions",
        )
    ]
