"""What autologging of statsmodels keeps of a fit: what it was given, metrics, the summary, the data, the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import drupe
from drupe.entities import Run

Runs = Callable[[], list[Run]]
TABLE = pd.DataFrame(np.random.default_rng(0).random((40, 2)), columns=["a", "b"])


def test_a_regression_is_kept_under_mlflows_names(runs: Runs) -> None:
    drupe.statsmodels.autolog(log_input_examples=True)
    result = smf.ols("b ~ a", TABLE).fit(cov_type="HC1")
    (run,) = runs()
    assert run.data.params["cov_type"] == "HC1"
    assert run.data.params["method"] == "pinv"
    assert {name: run.data.metrics[name] for name in ("rsquared", "aic", "llf", "df_resid")} == pytest.approx(
        {"rsquared": result.rsquared, "aic": result.aic, "llf": result.llf, "df_resid": result.df_resid}
    )
    summary = Path(drupe.download_artifacts(run_id=run.info.run_id, artifact_path="model_summary.txt")).read_text()
    assert "OLS Regression Results" in summary
    assert len(drupe.get_run(run.info.run_id).inputs.dataset_inputs) == 1
    model = drupe.load_model(f"runs:/{run.info.run_id}/model")
    assert [column.name for column in model.signature.inputs] == ["a", "b"]
    assert np.allclose(model.predict(TABLE), result.predict(TABLE))


def test_fits_within_a_fit_are_part_of_it_and_other_models_are_seen(runs: Runs) -> None:
    drupe.statsmodels.autolog(log_models=False)
    sm.Logit((TABLE["b"] > 0.5).astype(int), TABLE[["a"]]).fit(disp=0)
    sm.tsa.ARIMA(TABLE["a"].to_numpy(), order=(1, 0, 0)).fit()
    assert [run.data.tags["estimator_name"] for run in runs()] == ["Logit", "ARIMA"]
    assert all("aic" in run.data.metrics for run in runs())


def test_a_time_series_is_kept_without_a_signature_and_predicts(runs: Runs) -> None:
    drupe.statsmodels.autolog()
    result = sm.tsa.AutoReg(TABLE["a"].to_numpy(), lags=1).fit()
    (run,) = runs()
    model = drupe.load_model(f"runs:/{run.info.run_id}/model")
    assert np.allclose(model.predict(pd.DataFrame({"start": [38], "end": [42]})), result.predict(38, 42))


def test_classes_of_the_user_are_watched(runs: Runs) -> None:
    drupe.statsmodels.autolog(log_models=False)

    class Mine(sm.OLS):  # type: ignore[misc]
        def fit(self, weight: float = 2.0):  # type: ignore[no-untyped-def]
            return super().fit()

    Mine(TABLE["b"], TABLE[["a"]]).fit()
    assert [run.data.params for run in runs()] == [{"weight": "2.0"}]
