#!/bin/sh
# Install MedInpaint with all that a study needs, from this source tree into the Python on PATH, in the versions of
# constraints.txt. TORCH_INDEX: address of an index with another build of PyTorch, such as one without CUDA.
set -eu
cd "$(dirname "$0")/.."
python -m pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} --constraint constraints.txt torch
python -m pip install --no-cache-dir --constraint constraints.txt ".[cli,learned,dicom,cohort]"
