"""drupe-flavor-python: Python functions, classes and scripts as models."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_model_flavors() -> list[Offer]:
    return [
        Offer(
            "python_function",
            load="drupe_flavor_python.flavor:PythonFlavor",
            help="Python functions, classes and scripts",
            handles=("drupe.models.python_model.PythonModel", "mlflow.pyfunc.model.PythonModel", "*"),
            requires=("cloudpickle",),
        )
    ]
