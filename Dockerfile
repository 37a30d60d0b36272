# The BIDS app in a container: docker build -t medinpaint .
# How to run it: docs/how-to/clusters.md.
ARG PYTHON=docker.io/library/python:3.12-slim

FROM ${PYTHON} AS build
# PyTorch without CUDA is a tenth of the size; for a GPU: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY . /source
RUN python -m venv /opt/medinpaint
ENV PATH=/opt/medinpaint/bin:$PATH
RUN TORCH_INDEX="$TORCH_INDEX" sh /source/Packaging/install.sh

FROM ${PYTHON}
LABEL org.opencontainers.image.title="MedInpaint" \
      org.opencontainers.image.description="Fill holes in medical images: lesions, implants, dropouts. Not for clinical use." \
      org.opencontainers.image.source="https://github.com/MedInpaint/SlicerMedInpaint" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/medinpaint /opt/medinpaint
# Nothing is written below HOME; whoever runs the container may be any user.
ENV PATH=/opt/medinpaint/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1
RUN useradd --uid 1000 --no-create-home medinpaint
USER medinpaint
WORKDIR /tmp
ENTRYPOINT ["medinpaint", "bids"]
