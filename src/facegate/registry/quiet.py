"""MLflow with its telemetry off: the one place from which this room imports it.

MLflow reads these switches while it is being imported, so they are set first. A value that the user has
exported stays as it is.
"""

import logging
import os

DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOG_UV_FILES": "false",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    # A server that is away is reported after seconds; MLflow's own default waits for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
for _name, _value in DEFAULTS.items():
    os.environ.setdefault(_name, _value)

import mlflow  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

for _name in ("alembic", "mlflow.store.db.utils", "mlflow.store.artifact.artifact_repo"):
    logging.getLogger(_name).setLevel(logging.WARNING)
logging.getLogger("urllib3.connectionpool").setLevel(
    logging.ERROR
)  # what is retried and fails is told once, by us

__all__ = ["DEFAULTS", "MlflowClient", "MlflowException", "mlflow"]
