"""drupe-evaluator-default: judges classifiers and regressors by numbers, pictures, slices and importance; explains them with SHAP."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_evaluators() -> list[Offer]:
    home = "drupe_evaluator_default"
    return [
        Offer("classifier", load=f"{home}.classifier:ClassifierEvaluator", help="models that tell classes"),
        Offer("regressor", load=f"{home}.regressor:RegressorEvaluator", help="models that tell numbers"),
        Offer("default", load=f"{home}.plain:PlainEvaluator", help="any model, by metrics of your own"),
        Offer("shap", load=f"{home}.explained:ShapEvaluator", help="what each feature adds to a prediction", requires=("shap",)),
    ]
