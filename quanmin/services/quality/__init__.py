"""Outcomes, fairly compared: observed against expected, risk models, comorbidities, and charts of one case after another."""

from quanmin.services.quality.calibration import Performance, c_statistic, calibration, performance, validated_by_folds, validated_by_time
from quanmin.services.quality.charts import Cusum, ra_cusum, rocket_tails, scores, vlad
from quanmin.services.quality.comorbidity import ComorbidityIndex, comorbidities, comorbidity_index, split_codes
from quanmin.services.quality.design import Design, design_of
from quanmin.services.quality.risk import RiskModel, fit_days, fit_logistic
from quanmin.services.quality.run_length import limit_for, mean_run_length, simulated_run_length
from quanmin.services.quality.standardise import DirectRates, Ratios, direct, indirect, poisson_limits, poisson_p, ratio_limit

__all__ = ["ComorbidityIndex", "Cusum", "Design", "DirectRates", "Performance", "Ratios", "RiskModel", "c_statistic", "calibration", "comorbidities",
           "comorbidity_index", "design_of", "direct", "fit_days", "fit_logistic", "indirect", "limit_for", "mean_run_length", "performance", "poisson_limits",
           "poisson_p", "ra_cusum", "ratio_limit", "rocket_tails", "scores", "simulated_run_length", "split_codes", "validated_by_folds",
           "validated_by_time", "vlad"]
