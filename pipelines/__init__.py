"""One thin module per DVC stage: read parameters, call the library, write outputs."""

import os

# Stages run side by side (`pipelines.graph`): libraries that would each take every core wait for one another instead.
# Training and rendering take what params.yaml gives them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
