"""Results of statsmodels as folders: data left out, stretches of time series, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels
import statsmodels.api as sm
import statsmodels.formula.api as smf

import drupe
from drupe.artifacts.manifest import verify_manifest
from drupe.errors import InvalidModelFolder, InvalidValue

TABLE = pd.DataFrame(np.random.default_rng(0).random((40, 2)), columns=["a", "b"])


@pytest.fixture(scope="module")
def regression() -> Any:
    return smf.ols("b ~ a", TABLE).fit()


@pytest.fixture(scope="module")
def monthly() -> Any:
    index = pd.date_range("2024-01-01", periods=40, freq="MS")
    return sm.tsa.AutoReg(pd.Series(TABLE["a"].to_numpy(), index), lags=1).fit()


def test_the_keys_are_mlflows_and_the_file_is_marked_as_running_code(regression: Any, tmp_path: Path) -> None:
    info = drupe.statsmodels.save_model(statsmodels_model=regression, path=tmp_path / "m", input_example=TABLE.head(2))
    assert info.flavors["statsmodels"] == {
        "statsmodels_version": statsmodels.__version__,
        "data": "model.statsmodels",
        "code": None,
    }
    assert info.flavors["python_function"]["loader_module"] == "mlflow.statsmodels"
    manifest = verify_manifest(tmp_path / "m")
    assert manifest is not None
    assert manifest.executes_code == ("model.statsmodels",)
    assert np.allclose(drupe.load_model(tmp_path / "m").predict(TABLE), regression.predict(TABLE))


def test_data_are_left_out_on_request_and_stay_in_the_users_model(tmp_path: Path) -> None:
    large = pd.DataFrame(np.random.default_rng(0).random((4000, 2)), columns=["a", "b"])
    model = sm.OLS(large["b"], large[["a"]]).fit()
    for name, remove in (("with", False), ("without", True)):
        drupe.statsmodels.save_model(model, tmp_path / name, remove_data=remove)
    sizes = {name: (tmp_path / name / "model.statsmodels").stat().st_size for name in ("with", "without")}
    assert sizes["without"] < sizes["with"] / 4
    assert model.model.exog.shape == (4000, 1)
    assert np.allclose(drupe.load_model(tmp_path / "without").predict(large[["a"]]), model.predict(large[["a"]]))
    with pytest.raises(InvalidValue, match="remove_data is 'yes'"):
        drupe.statsmodels.save_model(model, tmp_path / "m", remove_data="yes")


def test_a_time_series_predicts_a_stretch_given_as_params_or_as_a_row(monthly: Any, tmp_path: Path) -> None:
    expected = monthly.predict(start="2027-04-01", end="2027-06-01")
    signature = drupe.models.infer_signature(params={"start": "2027-04-01", "end": "2027-06-01"})
    drupe.statsmodels.save_model(monthly, tmp_path / "params", signature=signature)
    assert drupe.load_model(tmp_path / "params").predict(None).equals(expected)
    drupe.statsmodels.save_model(monthly, tmp_path / "row", input_example=pd.DataFrame({"start": ["2027-04-01"], "end": ["2027-06-01"]}))
    row = pd.DataFrame({"start": ["2027-04-01"], "end": ["2027-06-01"]})
    assert drupe.load_model(tmp_path / "row").predict(row).equals(expected)


def test_a_stretch_that_is_missing_or_impossible_is_told(monthly: Any, tmp_path: Path) -> None:
    drupe.statsmodels.save_model(monthly, tmp_path / "m")
    model = drupe.load_model(tmp_path / "m")
    with pytest.raises(InvalidValue, match="this is a table of 40 rows with a, b"):
        model.predict(TABLE)
    with pytest.raises(InvalidValue, match="cannot be predicted from 'soon' to 'later'"):
        model.predict(pd.DataFrame({"start": ["soon"], "end": ["later"]}))


def test_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"saves what fit\(\) returns, not OLS"):
        drupe.statsmodels.save_model(sm.OLS(TABLE["b"], TABLE[["a"]]), tmp_path / "m")


def test_another_release_is_named_once(regression: Any, tmp_path: Path) -> None:
    flavor = drupe.loading.catalog().flavor("statsmodels")
    record = flavor.save(regression, tmp_path, {})
    with pytest.warns(UserWarning, match=r"saved with statsmodels 0\.13\.5 and is loaded with"):
        flavor.load(tmp_path, {**record.config, "statsmodels_version": "0.13.5"})
    (tmp_path / "model.statsmodels").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InvalidModelFolder, match="holds int"):
        flavor.load(tmp_path, record.config)
