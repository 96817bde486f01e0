"""Which format a model gets and why, what goes in and comes out, what is refused, and on which terms it is loaded."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import drupe
from drupe.artifacts.manifest import MANIFEST_FILE, verify_manifest
from drupe.errors import InvalidModelFolder, InvalidValue, SignatureMismatch, UntrustedModel
from drupe.testing.kit import in_threads

NETS = Path(__file__).with_name("nets_of_torch_tests.py")
X = np.random.default_rng(0).random((4, 3), dtype=np.float32)
TABLE = pd.DataFrame(X, columns=["a", "b", "c"], index=[5, 6, 7, 8])


@pytest.fixture(autouse=True, scope="module")
def _late(with_torch: None) -> None:
    """Imported by the first of these tests, not whenever tests are collected."""
    global torch, Branching, Net, Pair, Tied, build
    import torch
    from nets_of_torch_tests import Branching, Net, Pair, Tied, build


def outputs_of(model: Any, given: Any = X) -> Any:
    with torch.no_grad():
        return model.eval()(torch.tensor(given)).numpy()


def keys(folder: Path) -> dict[str, Any]:
    return dict(drupe.models.get_model_info(folder).flavors["pytorch"])


def code_of(folder: Path) -> tuple[str, ...]:
    manifest = verify_manifest(folder)
    assert manifest is not None
    return manifest.executes_code


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model in training mode, and its folder, exported from a table of one row."""
    model, folder = Net().train(), tmp_path_factory.mktemp("exported") / "m"
    drupe.pytorch.save_model(model, folder, input_example=TABLE.head(1))
    return model, folder


def test_with_an_example_a_model_is_an_exported_program_that_runs_no_code(exported: tuple[Any, Path]) -> None:
    model, folder = exported
    assert (keys(folder)["serialization_format"], keys(folder)["model_file"]) == ("pt2", "data/model.pt2")
    assert code_of(folder) == ()
    assert model.training
    loaded = drupe.load_model(folder)
    found = loaded.predict(TABLE)
    assert isinstance(found, pd.DataFrame)
    assert list(found.index) == [5, 6, 7, 8]
    np.testing.assert_allclose(found.to_numpy(), outputs_of(model), atol=1e-6)
    assert len(loaded.predict(pd.concat([TABLE] * 3))) == 12  # an example of one row does not fix the number of rows


def test_an_exported_program_says_nothing_of_where_its_source_lay(exported: tuple[Any, Path]) -> None:
    assert str(NETS.parent).encode() not in (exported[1] / "data" / "model.pt2").read_bytes()


def test_threads_may_export_write_and_read_at_the_same_time(tmp_path: Path) -> None:
    def save_and_load(number: int) -> None:
        for part in range(3):
            folder, model = tmp_path / f"{number}-{part}", Net()
            drupe.pytorch.save_model(model, folder, input_example=TABLE)
            assert keys(folder)["serialization_format"] == "pt2"
            np.testing.assert_allclose(drupe.load_model(folder).predict(TABLE).to_numpy(), outputs_of(model), atol=1e-6)

    assert in_threads([partial(save_and_load, number) for number in range(3)]) == []


def test_without_an_example_weights_and_class_are_kept_apart(tmp_path: Path) -> None:
    model = Net(outputs=1)
    drupe.pytorch.save_model(pytorch_model=model, path=tmp_path / "m", model_kwargs={"outputs": 1}, code_paths=[NETS])
    found = keys(tmp_path / "m")
    assert (found["serialization_format"], found["model_class"]) == ("safetensors", "nets_of_torch_tests:Net")
    assert code_of(tmp_path / "m") == ("code", "data")
    assert not (tmp_path / "m" / "data" / "model.pth").exists()
    native = drupe.pytorch.load_model(tmp_path / "m")
    assert type(native) is Net
    assert not native.training
    np.testing.assert_array_equal(drupe.load_model(tmp_path / "m").predict(X), outputs_of(model))


ELSEWHERE = """
import sys, drupe, numpy, torch
print(drupe.load_model(sys.argv[1]).predict(numpy.ones((2, 3), 'float32')).shape)
class Mine(torch.nn.Linear): pass
try:
    drupe.pytorch.save_model(Mine(2, 2), 'm2', model_kwargs={'in_features': 2, 'out_features': 2})
except drupe.errors.InvalidValue as fault:
    print(fault)
"""


@pytest.mark.usefixtures("quick_nets")
def test_elsewhere_a_folder_with_its_code_loads_and_a_class_of_the_script_is_refused(tmp_path: Path) -> None:
    drupe.pytorch.save_model(Net(), tmp_path / "m", code_paths=[NETS])
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, str(tmp_path / "m")], capture_output=True, text=True, cwd=tmp_path, check=False)
    shape, _, refusal = done.stdout.partition("\n")
    assert shape == "(2, 2)", done.stderr
    assert "Mine is defined in the script or notebook itself" in refusal


def test_a_class_whose_source_is_not_kept_is_warned_about(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"code_paths=\['nets_of_torch_tests.py'\] keeps its source"):
        drupe.pytorch.save_model(Net(), tmp_path / "m")


def test_a_model_that_cannot_be_exported_keeps_its_weights_and_says_why(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="kept as weights and the name of its class, since it cannot be exported"):
        drupe.pytorch.save_model(Branching(), tmp_path / "m", input_example=X, code_paths=[NETS])
    assert keys(tmp_path / "m")["serialization_format"] == "safetensors"
    assert drupe.load_model(tmp_path / "m").predict(-X).shape == (4, 2)


def test_weights_keep_their_types_and_ties(tmp_path: Path) -> None:
    model = Tied().to(torch.bfloat16)
    drupe.pytorch.save_model(model, tmp_path / "m", code_paths=[NETS])
    native = drupe.pytorch.load_model(tmp_path / "m", device="cpu")
    assert native.there.weight is native.back.weight
    assert native.back.weight.dtype == torch.bfloat16
    assert torch.equal(native.back.weight, model.back.weight)
    assert drupe.load_model(tmp_path / "m").predict(X.astype("float64")).dtype == np.float32  # numpy has no bfloat16


def test_a_factory_makes_a_model_that_has_no_class_of_its_own(tmp_path: Path) -> None:
    model = build(7)
    drupe.pytorch.save_model(model, tmp_path / "m", model_factory=build, model_kwargs={"width": 7}, code_paths=[NETS])
    assert keys(tmp_path / "m")["model_class"] == "nets_of_torch_tests:build"
    np.testing.assert_array_equal(drupe.load_model(tmp_path / "m").predict(X), outputs_of(model))


def test_loading_leaves_random_numbers_as_they_were(tmp_path: Path) -> None:
    drupe.pytorch.save_model(Net(), tmp_path / "m", code_paths=[NETS])
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    drupe.pytorch.load_model(tmp_path / "m")
    assert torch.equal(torch.rand(1), expected)


def test_what_cannot_be_kept_without_a_pickle_is_refused_with_the_ways_out(tmp_path: Path) -> None:
    class Local(torch.nn.Linear):  # type: ignore[misc]
        pass

    with pytest.raises(InvalidValue, match="defined inside a function") as refused:
        drupe.pytorch.save_model(Local(2, 2), tmp_path / "m")
    for way in ("input_example", "code_paths", "model_factory", "torch.jit.script", "serialization_format='pickle'"):
        assert way in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (lambda: (Net(5), {}), r"makes a model with other weights: 1 differ, such as layers.0.weight \(\[4, 3\] there, \[4, 5\] here\)"),
        (lambda: (Net(5), {"model_kwargs": {"width": 1}}), r"Net\(width=1\) raises TypeError"),
        (lambda: (Net(), {"serialization_format": "onnx"}), "must be one of pt2, torchscript, safetensors, state_dict, pickle"),
        (lambda: (Net(), {"pickle_module": json}), "pickle_module is for serialization_format='pickle', which is not the default because"),
        (
            lambda: (Net(), {"pickle_module": json, "serialization_format": "pickle"}),
            "must be one of the modules pickle, cloudpickle and dill",
        ),
        (lambda: (Net(), {"serialization_format": "pt2"}), "needs an input_example"),
        (lambda: (Net(), {"model_kwargs": {"inputs": (3,)}}), "must be plain values"),
        (lambda: (Net(), {"model_factory": "build"}), "write 'package.module:Name'"),
        (lambda: (Net(), {"model_factory": build, "model_class": Net}), "one of model_class and model_factory"),
        (lambda: (Net(), {"extra_files": "a.txt"}), "is a list of paths and addresses of files"),
        (lambda: ([1], {}), "torch.nn.Module or torch.export.ExportedProgram, not list"),
    ],
)
def test_bad_wishes_are_told(wish: Callable[[], tuple[Any, dict[str, Any]]], words: str, tmp_path: Path) -> None:
    model, options = wish()
    with pytest.raises(InvalidValue, match=words):
        drupe.pytorch.save_model(model, tmp_path / "m", code_paths=[NETS], **options)


def test_a_pickle_is_made_on_request_and_owns_up(tmp_path: Path) -> None:
    drupe.pytorch.save_model(Net(), tmp_path / "m", serialization_format="pickle", extra_files=[NETS], requirements_file=NETS)
    assert code_of(tmp_path / "m") == ("data",)
    assert keys(tmp_path / "m")["extra_files"] == [{"path": "extra_files/nets_of_torch_tests.py"}]
    assert (tmp_path / "m" / "data" / "pickle_module_info.txt").read_text() == "mlflow.pytorch.pickle_module"
    assert type(drupe.pytorch.load_model(tmp_path / "m", map_location="cpu", weights_only=False)) is Net
    with pytest.raises(UntrustedModel, match=r"holds more than weights: nets_of_torch_tests\.Net"):
        drupe.pytorch.load_model(tmp_path / "m", weights_only=True)


# --- what goes in and comes out


def test_several_inputs_have_names_and_outputs_keep_their_shape(tmp_path: Path) -> None:
    model = Pair()
    example = (torch.ones(2, 3), torch.ones(2, 2))
    drupe.pytorch.save_model(model, tmp_path / "m", serialization_format="safetensors", input_example=example, code_paths=[NETS])
    loaded = drupe.load_model(tmp_path / "m")
    assert loaded.signature is not None
    assert loaded.signature.inputs.input_names() == ["wide", "narrow"]
    found = loaded.predict({"wide": X, "narrow": X[:, :2]})
    assert {name: value.shape for name, value in found.items()} == {"sum": (4, 2), "wide": (4,)}
    assert sorted(loaded.input_example) == ["narrow", "wide"]


def test_params_are_arguments_of_the_model(tmp_path: Path) -> None:
    drupe.pytorch.save_model(
        Pair(),
        tmp_path / "m",
        serialization_format="safetensors",
        code_paths=[NETS],
        input_example=({"wide": X, "narrow": X[:, :2]}, {"times": 1.0}),
    )
    loaded = drupe.load_model(tmp_path / "m")
    given = {"wide": X, "narrow": X[:, :2]}
    np.testing.assert_allclose(loaded.predict(given, {"times": 2.0})["sum"], 2 * loaded.predict(given)["sum"], rtol=1e-5)


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("simple") / "m"
    drupe.pytorch.save_model(Net(), folder, code_paths=[NETS])
    return drupe.load_model(folder)


def test_tables_arrays_lists_and_tensors_give_the_same(simple: Any) -> None:
    expected = outputs_of(simple.native)
    for given in (X, X.astype("float64"), X.tolist(), torch.tensor(X), {"rows": X}, TABLE.astype("float64")):
        np.testing.assert_allclose(np.asarray(simple.predict(given)), expected, atol=1e-6)


def test_text_is_told_by_its_column(simple: Any) -> None:
    with pytest.raises(SignatureMismatch, match="these columns hold something else: b"):
        simple.predict(TABLE.assign(b="x"))


def test_predictions_are_made_in_eval_mode_and_the_mode_stays(simple: Any) -> None:
    simple.native.train()
    first, second = simple.predict(X), simple.predict(X)
    np.testing.assert_array_equal(first, second)
    assert simple.native.training
    simple.native.eval()


def test_the_device_is_an_option(simple: Any) -> None:
    assert next(drupe.pytorch.load_model(simple.path, device="meta").parameters()).device.type == "meta"
    assert next(drupe.load_model(simple.path, model_config={"device": "cpu"}).native.parameters()).device.type == "cpu"
    with pytest.raises(InvalidValue, match="cannot be put on the device 'cuda:7'"):
        drupe.load_model(simple.path, model_config={"device": "cuda:7"})
    with pytest.raises(InvalidValue, match="the device is chosen when a model is loaded"):
        drupe.load_model(simple.path)._flavor.predict(simple.native, X, {"device": "cpu"}, {})


def test_state_dicts_are_read_as_weights_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "everybody")
    drupe.pytorch.save_model(Net(), tmp_path / "m", serialization_format="state_dict", code_paths=[NETS])
    file = tmp_path / "m" / "data" / "model.pth"
    torch.save({"layers.0.weight": Touch(tmp_path / "touched")}, file, pickle_protocol=2)
    (tmp_path / "m" / MANIFEST_FILE).unlink()
    with pytest.raises(InvalidModelFolder, match="cannot be read as state_dict"):
        drupe.pytorch.load_model(tmp_path / "m")
    assert not (tmp_path / "touched").exists()


# --- exported programs that others made


class Touch:
    """Pickled, it makes a file when it is loaded: the harmless marker of what must not run."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def rewritten(folder: Path, target: Path, change: Any) -> Path:
    """A copy of the exported model whose archive `change` has changed: from the records by name to the records by name."""
    shutil.copytree(folder, target)
    (target / MANIFEST_FILE).unlink()
    file = target / "data" / "model.pt2"
    with zipfile.ZipFile(file) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    change(records)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    return target


def in_program(change: Any) -> Any:
    def apply(records: dict[str, bytes]) -> None:
        name = next(name for name in records if name.endswith("models/model.json"))
        program = json.loads(records[name])
        change(program)
        records[name] = json.dumps(program).encode()

    return apply


def pickled_sample(file: Path) -> Any:
    def apply(records: dict[str, bytes]) -> None:
        stream = io.BytesIO()
        torch.save(Touch(file), stream)
        records[next(name for name in records if "sample_inputs" in name)] = stream.getvalue()

    return apply


def node(program: Any) -> Any:
    return program["graph_module"]["graph"]["nodes"][0]


HOSTILE = {
    "a call of the system": in_program(lambda program: node(program).update(target="torch.hub.os.system")),
    "a file of the machine": in_program(lambda program: node(program).update(target="torch.ops.aten.from_file.default")),
    "a condition": in_program(lambda program: program.update(guards_code=["__import__('pathlib').Path('touched').touch()"])),
    "a size": in_program(
        lambda program: program["graph_module"]["graph"]["tensor_values"]["linear"]["sizes"].__setitem__(
            0, {"as_expr": {"expr_str": "__import__('os').system('touch touched')", "hint": None}}
        )
    ),
    "an argument's name": in_program(lambda program: node(program).update(name="x=__import__('os').system('touch touched')")),
    "a library": lambda records: records.update({"model/data/aotinductor/model/x.so": b"\x7fELF"}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_an_exported_program_with_code_in_it_is_refused(
    what: str, exported: tuple[Any, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = rewritten(exported[1], tmp_path / "m", HOSTILE[what])
    with pytest.raises(UntrustedModel, match=r"loading model\.pt2 may run code"):
        drupe.pytorch.load_model(folder)
    assert not (tmp_path / "touched").exists()


def test_a_pickle_among_the_sample_inputs_is_refused_unless_trusted(exported: tuple[Any, Path], tmp_path: Path) -> None:
    folder = rewritten(exported[1], tmp_path / "m", pickled_sample(tmp_path / "touched"))
    with pytest.raises(UntrustedModel, match=r"its sample inputs name __builtin__\.getattr"):
        drupe.pytorch.load_model(folder)
    assert not (tmp_path / "touched").exists()
    with warnings.catch_warnings(action="ignore"), suppress(InvalidModelFolder):  # what the pickle makes is no sample input
        drupe.pytorch.load_model(folder, weights_only=False)
    assert (tmp_path / "touched").exists()  # so the marker works
