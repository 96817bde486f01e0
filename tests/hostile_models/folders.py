"""Model folders that try to run code when anybody looks at them, made anew for each test run; what they would run makes an empty folder, no more.

Each is made from a real scikit-learn model in a skops file, which is harmless, by one change. `HOSTILE` has them by name.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import yaml

__all__ = ["HOSTILE", "TRUSTABLE", "Payload"]

Change = Callable[[Path, "Payload"], None]
HOSTILE: dict[str, Change] = {}
TRUSTABLE: set[str] = set()
"""Those that do load once they are trusted, and then run what they brought."""


class Payload:
    """Makes the folder `marker` when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.marker,)

    @property
    def source(self) -> str:
        """The same as Python source."""
        return f"import os\nos.mkdir({self.marker!r})\n"


def hostile(name: str, *, trustable: bool = False) -> Callable[[Change], Change]:
    def note(change: Change) -> Change:
        HOSTILE[name] = change
        if trustable:
            TRUSTABLE.add(name)
        return change

    return note


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the keys of MLmodel; the manifest goes, as for a folder of another tool."""
    (folder / "manifest.json").unlink(missing_ok=True)
    keys = yaml.safe_load((folder / "MLmodel").read_text())
    change(keys)
    (folder / "MLmodel").write_text(yaml.safe_dump(keys))


def pickled(folder: Path, content: bytes, **more: Any) -> None:
    (folder / "model.skops").unlink()
    (folder / "model.pkl").write_bytes(content)
    keys = {"pickled_model": "model.pkl", "serialization_format": "pickle", **more}
    edit(folder, lambda k: k["flavors"]["sklearn"].update(keys))


def pyfunc(folder: Path, **keys: Any) -> None:
    (folder / "model.skops").unlink(missing_ok=True)

    def change(k: dict[str, Any]) -> None:
        k["flavors"] = {"python_function": {"loader_module": "mlflow.pyfunc.model", **keys}}

    edit(folder, change)


# --- pickles of all kinds

for protocol in range(6):

    @hostile(f"a pickle of protocol {protocol}", trustable=True)
    def _of_protocol(folder: Path, payload: Payload, protocol: int = protocol) -> None:
        pickled(folder, pickle.dumps(payload, protocol))


@hostile("a pickle that says it is skops")
def _claims_skops(folder: Path, payload: Payload) -> None:
    pickled(folder, pickle.dumps(payload), serialization_format="skops")


@hostile("a pickle called a text", trustable=True)
def _called_text(folder: Path, payload: Payload) -> None:
    pickled(folder, b"")
    (folder / "model.pkl").unlink()
    (folder / "requirements.txt").write_bytes(pickle.dumps(payload, 0))
    edit(folder, lambda k: k["flavors"]["sklearn"].update(pickled_model="requirements.txt"))


@hostile("a pickle without an end", trustable=False)
def _without_end(folder: Path, payload: Payload) -> None:
    pickled(folder, pickle.dumps(payload, 0)[:-1] + b"\xff rubbish", serialization_format="skops")


@hostile("a joblib file")
def _joblib(folder: Path, payload: Payload) -> None:
    stream = io.BytesIO()
    joblib.dump({"weights": np.arange(9), "more": payload}, stream)
    pickled(folder, stream.getvalue(), serialization_format="joblib")


for name, compress in (("gzip", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("zlib", zlib.compress)):

    @hostile(f"a pickle in {name} that is called an array")
    def _compressed(folder: Path, payload: Payload, compress: Callable[[bytes], bytes] = compress) -> None:
        (folder / "weights.npy").write_bytes(compress(pickle.dumps(payload)))
        (folder / "manifest.json").unlink()


@hostile("a pickled Python model", trustable=True)
def _python_model(folder: Path, payload: Payload) -> None:
    (folder / "python_model.pkl").write_bytes(pickle.dumps(payload))
    pyfunc(folder, python_model="python_model.pkl")


@hostile("a compressed Python model", trustable=True)
def _compressed_model(folder: Path, payload: Payload) -> None:
    (folder / "python_model.pkl").write_bytes(gzip.compress(pickle.dumps(payload)))
    pyfunc(folder, python_model="python_model.pkl", python_model_compression="gzip")


@hostile("an array of objects")
def _objects(folder: Path, payload: Payload) -> None:
    np.save(folder / "weights.npy", np.array([payload], dtype=object), allow_pickle=True)
    (folder / "manifest.json").unlink()


@hostile("an array of objects in an archive")
def _objects_in_archive(folder: Path, payload: Payload) -> None:
    np.savez(folder / "weights.npz", good=np.arange(3), bad=np.array([payload], dtype=object))
    (folder / "manifest.json").unlink()


# --- scripts, modules and names


@hostile("a script", trustable=True)
def _script(folder: Path, payload: Payload) -> None:
    (folder / "model.py").write_text(payload.source + "import drupe\ndrupe.models.set_model(lambda model_input: model_input)\n")
    pyfunc(folder, model_code_path="model.py", loader_module="mlflow.pyfunc.loaders.code_model")


@hostile("modules that stand in for Python's own")
def _shadowing(folder: Path, payload: Payload) -> None:
    (folder / "code").mkdir()
    (folder / "code" / "sklearn_extra_drupe.py").write_text(payload.source)
    (folder / "code" / "colorsys.py").write_text(payload.source)
    edit(folder, lambda k: k["flavors"]["sklearn"].update(code="code"))


@hostile("a loader module of its own")
def _loader(folder: Path, payload: Payload) -> None:
    (folder / "evil_loader.py").write_text(payload.source)
    pyfunc(folder, loader_module="evil_loader", data="evil_loader.py")


for key, value in (
    ("loader_module", "os"),
    ("predict_fn", "__reduce__"),
    ("model_class", "statsmodels.iolib.smpickle.load_pickle"),
    ("keras_module", "os"),
):

    @hostile(f"{key} that is {value}")
    def _named(folder: Path, payload: Payload, key: str = key, value: str = value) -> None:
        edit(folder, lambda k: [config.update({key: value}) for config in k["flavors"].values()])


@hostile("a module to read pickles with")
def _pickle_module(folder: Path, payload: Payload) -> None:
    (folder / "pickle_module_info.txt").write_text("evil_pickle")
    (folder / "manifest.json").unlink()


# --- archives and formats of libraries


def skops_file(folder: Path, payload: Payload) -> None:
    schema = {
        "__class__": "str",
        "__module__": "builtins",
        "__loader__": "FunctionNode",
        "content": {"module_path": "os", "function": "system"},
        "__id__": 1,
        "protocol": 2,
        "_skops_version": "0.16.0",
    }
    with zipfile.ZipFile(folder / "model.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    (folder / "manifest.json").unlink()


@hostile("skops with types that nobody trusts")
def _skops(folder: Path, payload: Payload) -> None:
    skops_file(folder, payload)


@hostile("skops that brings its own list of trusted types")
def _skops_trusted(folder: Path, payload: Payload) -> None:
    skops_file(folder, payload)
    edit(folder, lambda k: k["flavors"]["sklearn"].update(skops_trusted_types=["os.system"]))


@hostile("a torch archive")
def _torch(folder: Path, payload: Payload) -> None:
    with zipfile.ZipFile(folder / "model.pth", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(payload, 2))
        archive.writestr("archive/data/0", b"\x00" * 40)
        archive.writestr("archive/version", "3\n")
    (folder / "manifest.json").unlink()


@hostile("an old torch file")
def _old_torch(folder: Path, payload: Payload) -> None:
    magic = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, payload)
    (folder / "model.pth").write_bytes(b"".join(pickle.dumps(part, 2) for part in magic) + b"\x00" * 64)
    (folder / "manifest.json").unlink()


@hostile("a Keras model with a Lambda layer")
def _keras(folder: Path, payload: Payload) -> None:
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        layer = {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEA"}}}}
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "module": "keras", "config": {"layers": [layer]}}))
        archive.writestr("metadata.json", "{}")
    (folder / "manifest.json").unlink()


@hostile("an old Keras model with a Lambda layer")
def _old_keras(folder: Path, payload: Payload) -> None:
    (folder / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100) + b'{"class_name": "Lambda"}' + bytes(100))
    (folder / "manifest.json").unlink()


@hostile("a zip with a member that leads out")
def _zip_slip(folder: Path, payload: Payload) -> None:
    with zipfile.ZipFile(folder / "weights.zip", "w") as archive:
        archive.writestr("../../evil.txt", "x")
    (folder / "manifest.json").unlink()


@hostile("a zip with two members of one name")
def _twins(folder: Path, payload: Payload) -> None:
    with zipfile.ZipFile(folder / "weights.zip", "w") as archive:
        archive.writestr("a.json", "{}")
        archive.writestr("b.json", "{}")
    content = (folder / "weights.zip").read_bytes()
    (folder / "weights.zip").write_bytes(content.replace(b"b.json", b"a.json"))
    (folder / "manifest.json").unlink()


@hostile("a zip that swells")
def _bomb(folder: Path, payload: Payload) -> None:
    with zipfile.ZipFile(folder / "weights.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(8 * 2**20))
    (folder / "manifest.json").unlink()


@hostile("archives in archives")
def _nested(folder: Path, payload: Payload) -> None:
    content = pickle.dumps(payload)
    for _ in range(3):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            member = tarfile.TarInfo("inner")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        content = gzip.compress(stream.getvalue())
    (folder / "weights.bin").write_bytes(content)
    (folder / "manifest.json").unlink()


@hostile("a tar with a link")
def _tar_link(folder: Path, payload: Payload) -> None:
    with tarfile.open(folder / "weights.tar", "w") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    (folder / "manifest.json").unlink()


@hostile("a zip that begins as a pickle")
def _polyglot(folder: Path, payload: Payload) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "harmless")
    (folder / "weights.zip").write_bytes(pickle.dumps(payload) + stream.getvalue())
    (folder / "manifest.json").unlink()


@hostile("weights that say what to call to make the model")
def _maker(folder: Path, payload: Payload) -> None:
    (folder / "model.skops").unlink()
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (folder / "data").mkdir()
    (folder / "data" / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    keys = {
        "model_data": "data",
        "model_file": "data/model.safetensors",
        "serialization_format": "safetensors",
        "model_class": "os.mkdir",
        "model_kwargs": {"path": payload.marker},
        "pytorch_version": "2.0",
    }
    edit(folder, lambda k: k.update(flavors={"pytorch": keys}))


@hostile("a library")
def _library(folder: Path, payload: Payload) -> None:
    (folder / "weights.dat").write_bytes(b"\x7fELF" + bytes(60))
    (folder / "manifest.json").unlink()


@hostile("a format that nobody knows")
def _unknown(folder: Path, payload: Payload) -> None:
    (folder / "weights.dat").write_bytes(b"\x01\x02\x03\x00secret sauce\xff\xfe")
    (folder / "manifest.json").unlink()


# --- places


for key in ("pickled_model", "code", "model_path", "data"):
    for place in (
        "../evil.pkl",
        "/tmp/evil.pkl",
        "%2e%2e/evil.pkl",
        "a\\..\\..\\evil.pkl",
        "%252e%252e%252fevil.pkl",
        "C:\\evil.pkl",
        "a\x00b",
    ):

        @hostile(f"{key} at {place!r}")
        def _elsewhere(folder: Path, payload: Payload, key: str = key, place: str = place) -> None:
            (folder.parent / "evil.pkl").write_bytes(pickle.dumps(payload))
            edit(folder, lambda k: [config.update({key: place}) for config in k["flavors"].values()])


@hostile("an artifact and an example that lie elsewhere")
def _artifact(folder: Path, payload: Payload) -> None:
    def change(k: dict[str, Any]) -> None:
        k["flavors"]["python_function"]["artifacts"] = {"a": {"path": "../../evil.pkl", "uri": "/home/somebody/a"}}
        k["saved_input_example_info"] = {"artifact_path": "../evil.json", "type": "dataframe"}

    edit(folder, change)


for hidden in ("model.sig", "__pycache__/model.pkl", ".drupe-partial-0"):

    @hostile(f"a pickle in {hidden}, which no manifest lists")
    def _hidden(folder: Path, payload: Payload, hidden: str = hidden) -> None:
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_bytes(pickle.dumps(payload))
        edit(folder, lambda k: k["flavors"]["sklearn"].update(pickled_model=hidden, serialization_format="pickle"))


@hostile("a link to a file elsewhere")
def _link(folder: Path, payload: Payload) -> None:
    (folder.parent / "evil.pkl").write_bytes(pickle.dumps(payload))
    pickled(folder, b"")
    (folder / "model.pkl").unlink()
    (folder / "model.pkl").symlink_to(folder.parent / "evil.pkl")


@hostile("a link to a folder elsewhere")
def _folder_link(folder: Path, payload: Payload) -> None:
    (folder / "more").symlink_to(folder.parent)
    (folder / "manifest.json").unlink()


@hostile("a pipe")
def _pipe(folder: Path, payload: Payload) -> None:
    (folder / "model.skops").unlink()
    os.mkfifo(folder / "model.skops")
    (folder / "manifest.json").unlink()


# --- MLmodel and manifest


@hostile("a YAML tag that calls")
def _tag(folder: Path, payload: Payload) -> None:
    text = (folder / "MLmodel").read_text() + f"evil: !!python/object/apply:os.mkdir [{payload.marker!r}]\n"
    (folder / "MLmodel").write_text(text)
    (folder / "manifest.json").unlink()


@hostile("a YAML bomb")
def _yaml_bomb(folder: Path, payload: Payload) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    (folder / "MLmodel").write_text((folder / "MLmodel").read_text() + "\n".join(lines) + "\n")
    (folder / "manifest.json").unlink()


@hostile("YAML without a bottom")
def _deep(folder: Path, payload: Payload) -> None:
    (folder / "MLmodel").write_text("flavors: " + "[" * 5000 + "]" * 5000)
    (folder / "manifest.json").unlink()


@hostile("a manifest that claims that nothing runs code", trustable=True)
def _lies(folder: Path, payload: Payload) -> None:
    from drupe.artifacts.manifest import write_manifest

    pickled(folder, pickle.dumps(payload))
    write_manifest(folder, executes_code=[])


@hostile("a manifest of another content")
def _changed(folder: Path, payload: Payload) -> None:
    manifest = (folder / "manifest.json").read_bytes()
    pickled(folder, pickle.dumps(payload))
    (folder / "manifest.json").write_bytes(manifest)


@hostile("a file that no manifest knows")
def _added(folder: Path, payload: Payload) -> None:
    (folder / "conftest.py").write_text(payload.source)
