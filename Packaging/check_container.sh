#!/usr/bin/env bash
# Build the container and fill an example study in it, read-only and without a network. Where no Docker runs, the same
# is done in a clean environment: the container's installation, and the command as nobody.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir -m 777 "$work/out" "$work/home"

python3 -m venv "$work/example"
"$work/example/bin/python" -m pip install --quiet --constraint constraints.txt numpy nibabel
"$work/example/bin/python" Testing/bids_example.py "$work/study"
chmod -R a+rX "$work/study"

if docker info > /dev/null 2>&1; then
  docker build --tag medinpaint:check .
  docker run --rm --network none --read-only --tmpfs /tmp -u "$(id -u):$(id -g)" -v "$work/study:/data:ro" -v "$work/out:/out" \
    medinpaint:check /data /out participant --jobs 1
else
  echo "No Docker here: the steps of the container in a clean environment."
  git -c safe.directory="$PWD" archive --prefix source/ HEAD | tar x -C "$work"
  python3 -m venv "$work/app"
  env -i HOME="$work/home" PATH="$work/app/bin:/usr/bin:/bin" ${PIP_CONFIG_FILE:+PIP_CONFIG_FILE="$PIP_CONFIG_FILE"} \
    sh "$work/source/Packaging/install.sh"
  rm -r "$work/source"
  unshare --user --map-user 65534 --map-group 65534 --net \
    env -i HOME="$work/home" PATH="$work/app/bin:/usr/bin:/bin" medinpaint bids "$work/study" "$work/out" participant --jobs 1
fi

test -s "$work/out/dataset_description.json"
find "$work/out" -name '*desc-lesionfilled*_T1w.nii.gz' | grep . > /dev/null
echo "The container's command has filled the example study."
