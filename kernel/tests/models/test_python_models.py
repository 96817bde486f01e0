"""Python models in the kernel: what `predict` is called with, what can be a model, and scripts that make one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.models import ModelConfig, PythonModel, PythonModelContext, set_model
from drupe.models.code_model import run_script
from drupe.models.python_model import BoundModel, FunctionModel, as_python_model, call_predict

CONTEXT = PythonModelContext({"n": "/path"}, {"k": 1})


@pytest.mark.parametrize(
    ("func", "result"),
    [
        (lambda model_input: ("in", model_input), ("in", 5)),
        (lambda x: x, 5),
        (lambda context, model_input: (context, model_input), (CONTEXT, 5)),
        (lambda _, model_input: model_input, 5),
        (lambda model_input, params: (model_input, params), (5, {"p": 1})),
        (lambda model_input, params=None: params, {"p": 1}),
        (lambda context, model_input, params=None: (context, model_input, params), (CONTEXT, 5, {"p": 1})),
        (lambda model_input, **more: more, {"params": {"p": 1}}),
        (bool, True),
    ],
)
def test_a_predict_gets_what_it_takes(func: Any, result: Any) -> None:
    assert call_predict(func, CONTEXT, 5, {"p": 1}) == result


def test_params_are_a_dict_of_the_models_own() -> None:
    given = {"p": 1}
    assert call_predict(lambda model_input, params: params.pop("p"), CONTEXT, 5, given) == 1
    assert given == {"p": 1}
    assert call_predict(lambda model_input, params: params, CONTEXT, 5, None) == {}


def test_what_can_be_a_model() -> None:
    class WithPredict:
        def predict(self, x: Any) -> Any:
            return x + 1

    class OfMlflow:
        def load_context(self, context: Any) -> None: ...
        def predict(self, x: Any) -> Any: ...

    model, foreign = PythonModel(), OfMlflow()
    assert as_python_model(model) is model
    assert as_python_model(foreign) is foreign
    assert isinstance(as_python_model(len), FunctionModel)
    assert BoundModel(as_python_model(WithPredict())).predict(1) == 2


@pytest.mark.parametrize(("thing", "says"), [(3, "cannot be called"), (PythonModel, r"give an instance: PythonModel\(\)")])
def test_what_cannot_be_a_model_is_refused(thing: Any, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        as_python_model(thing)


def test_a_model_without_predict_says_so() -> None:
    with pytest.raises(NotImplementedError, match="PythonModel has no predict"):
        BoundModel(PythonModel()).predict(1)


# --- scripts


def script(folder: Path, text: str) -> Path:
    file = folder / "model.py"
    file.write_text(text)
    return file


def test_a_script_hands_its_model_over(tmp_path: Path) -> None:
    model = run_script(script(tmp_path, "import drupe\ndrupe.models.set_model(lambda x: x + 1)\n"))
    assert model(1) == 2


def test_two_runs_of_a_script_do_not_share_anything(tmp_path: Path) -> None:
    file = script(
        tmp_path, "from drupe.models import set_model\nseen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)\nset_model(f)\n"
    )
    one, other = run_script(file), run_script(file)
    assert (one(0), one(0), other(0)) == (1, 2, 1)


def test_a_script_reads_its_configuration(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        "from drupe.models import ModelConfig, set_model\nc = ModelConfig(development_config={'k': 'dev'})\nset_model(lambda x: c.get('k'))\n",
    )
    assert run_script(file)(0) == "dev"
    assert run_script(file, {"k": "given"})(0) == "given"
    with pytest.raises(InvalidValue, match="has no 'k'; it has other"):
        run_script(file, {"other": 1})(0)


def test_a_configuration_can_be_a_yaml_file(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("k: [1, 2]\n")
    assert ModelConfig(development_config=tmp_path / "c.yaml").to_dict() == {"k": [1, 2]}
    with pytest.raises(InvalidValue, match="has no configuration"):
        ModelConfig()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1", "did not hand over a model"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(:", "SyntaxError"),
        ("import no_such_module_anywhere", "no_such_module_anywhere"),
        ("from drupe.models import set_model\nset_model('text')", "needs a PythonModel instance or a function"),
        ("from drupe.models import set_model, PythonModel\nset_model(PythonModel)", "needs a PythonModel instance"),
    ],
)
def test_a_script_that_fails_is_told_with_its_own_fault(text: str, says: str, tmp_path: Path) -> None:
    before = set(sys.modules)
    with pytest.raises(InvalidModelFolder, match=says):
        run_script(script(tmp_path, text))
    assert not [name for name in set(sys.modules) - before if name.startswith("drupe_model_script")]


def test_handing_over_outside_of_loading_changes_nothing(tmp_path: Path) -> None:
    set_model(len)
    with pytest.raises(InvalidModelFolder, match="did not hand over"):
        run_script(script(tmp_path, "x = 1"))


def test_only_the_scripts_own_imports_of_mlflow_lead_to_drupe(tmp_path: Path) -> None:
    run_script(
        script(
            tmp_path,
            "import mlflow, mlflow.pyfunc as p\nfrom mlflow.models import set_model, ModelConfig\nfrom mlflow.types.schema import Schema\n"
            "class M(mlflow.pyfunc.PythonModel):\n    def predict(self, x): return x\nassert p.PythonModel is mlflow.pyfunc.PythonModel\nset_model(M())\n",
        )
    )
    assert "mlflow" not in sys.modules
    with pytest.raises(InvalidModelFolder, match="No module named 'mlflow'"):
        run_script(script(tmp_path, "import mlflow.langchain"))


def test_importing_models_imports_no_numpy_or_pandas() -> None:
    code = "import sys, drupe.models\nprint([m for m in ('numpy', 'pandas', 'sklearn', 'sqlalchemy', 'cloudpickle') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
