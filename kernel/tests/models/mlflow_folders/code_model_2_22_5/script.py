import mlflow
from mlflow.models import set_model


class S(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input["a"] + 1


set_model(S())
