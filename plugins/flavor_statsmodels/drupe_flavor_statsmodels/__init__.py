"""drupe-flavor-statsmodels: results of statsmodels."""

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
