"""One thin module per DVC stage: read parameters, call the library, write outputs."""

import atexit
import gc
import os

# Stages run side by side (`pipelines.graph`): libraries that would each take every core wait for one another instead.
# Training and rendering take what params.yaml gives them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Imports make hundreds of thousands of objects and hardly any garbage. Looking for it again and again takes a quarter of
# their time, and looking through all of them once more when the interpreter ends takes as long.
gc.set_threshold(100_000)
atexit.register(gc.freeze)
