"""drupe-flavor-statsmodels: fitted models of statsmodels, and autologging of its fits."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_model_flavors() -> list[Offer]:
    return [
        Offer(
            "statsmodels",
            load="drupe_flavor_statsmodels.flavor:StatsmodelsFlavor",
            help="fitted models of statsmodels",
            handles=("statsmodels.base.wrapper.ResultsWrapper", "statsmodels.base.model.Results"),
            requires=("statsmodels",),
        )
    ]


@hookimpl
def drupe_autologgers() -> list[Offer]:
    return [
        Offer(
            "statsmodels",
            load="drupe_flavor_statsmodels.autologger:StatsmodelsAutologger",
            help="fits of statsmodels",
            requires=("statsmodels",),
        )
    ]
