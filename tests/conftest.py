"""What all tests share."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tensors here are tiny: a second thread only waits for the first
