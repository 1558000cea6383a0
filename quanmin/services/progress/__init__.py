"""Progress towards targets: forecasts with intervals tested by back-testing, and the chance of reaching a target by its date."""

from quanmin.services.progress.forecast import Forecast, forecast
from quanmin.services.progress.targets import Progress, Step, progress

__all__ = ["Forecast", "Progress", "Step", "forecast", "progress"]
