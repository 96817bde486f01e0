"""What predicting through the generic interface and loading cost in one tool: drupe or mlflow, told in the first argument.

Prints one line of JSON: seconds of each predict of one row, by the bare model and by the generic one in turn, for the inputs of a name each,
and seconds of each load of a registered scikit-learn model, its libraries being loaded.
"""

import importlib
import json
import logging
import sys
import time
import warnings

import numpy
import pandas
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

COLUMNS = 10


def timed(call, *given):
    began = time.perf_counter()
    call(*given)
    return time.perf_counter() - began


def fitted():
    table = pandas.DataFrame(numpy.random.default_rng(0).random((200, COLUMNS)), columns=[f"feature_{n}" for n in range(COLUMNS)])
    return make_pipeline(StandardScaler(), LinearRegression()).fit(table, table.sum(axis=1)), table


def predictions(tool, repeats):
    """Of a model that costs next to nothing itself, so that what is around it shows; the row as a DataFrame and as a dict."""
    _, table = fitted()
    bare = LinearRegression().fit(table, table.sum(axis=1))
    signature = tool.models.infer_signature(table, bare.predict(table))
    tool.sklearn.save_model(bare, "with_signature", signature=signature)
    loaded = tool.pyfunc.load_model("with_signature")
    frame = table.head(1)
    record = frame.to_dict("records")[0]
    kept = {"DataFrame": (frame, frame), "dict": (frame, record)}
    found = {name: ([], []) for name in kept}
    for turn in range(repeats + 20):
        for name, (plain, given) in kept.items():
            alone, through = timed(bare.predict, plain), timed(loaded.predict, given)
            if turn >= 20:
                found[name][0].append(alone)
                found[name][1].append(through)
    return found


def loads(tool, repeats):
    model, table = fitted()
    tool.set_tracking_uri("sqlite:///runs.db")
    with tool.start_run():
        tool.sklearn.log_model(model, name="model", input_example=table.head(3), registered_model_name="churn")
    tool.pyfunc.load_model("models:/churn/1")
    return [timed(tool.pyfunc.load_model, "models:/churn/1") for _ in range(repeats)]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    library, times = importlib.import_module(sys.argv[1]), int(sys.argv[2])
    importlib.import_module(f"{sys.argv[1]}.models")
    print(json.dumps({"predict": predictions(library, times), "load": loads(library, max(times // 20, 5))}))
