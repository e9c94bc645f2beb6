#!/usr/bin/env bash
# Install the Debian packages that robotnas builds and tests with. Does nothing where all are there; needs root (or sudo)
# only where one is missing.
#
# usage: scripts/install-deps.sh [--data] [--tests]
#   --data    adds the images of jobs/quickstart.yaml (Fashion-MNIST)
#   --tests   adds these and what the test suite and the linters need
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build git ca-certificates
    libopenmpi-dev openmpi-bin libhdf5-dev libopenblas-dev liblapacke-dev libnlopt-dev
    libyaml-dev libcsv-dev libjansson-dev libssl-dev librandom123-dev libdnnl-dev zlib1g-dev
    libjpeg62-turbo-dev libpng-dev
    libprotobuf-c-dev protobuf-c-compiler)
tests=(libcriterion-dev clang clang-format clang-tidy libclang-rt-14-dev shellcheck
    pocl-opencl-icd ocl-icd-libopencl1 oclgrind
    hipcc libamdhip64-dev rocm-device-libs clang-15 clang-19 llvm-15 llvm-spirv-15 spirv-tools
    python3 python3-h5py python3-jsonschema python3-onnx python3-torch python3-yaml hdf5-tools util-linux faketime valgrind
    slurm-wlm munge iproute2 procps)
data=(dataset-fashion-mnist)

packages=("${build[@]}")
for option in "$@"; do
    case $option in
    --data) packages+=("${data[@]}") ;;
    --tests) packages+=("${data[@]}" "${tests[@]}") ;;
    *)
        sed -n '5,7p' "$0" >&2
        exit 2
        ;;
    esac
done

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "All packages are there."
    exit 0
fi

echo "Installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "These packages are missing and only root can install them: ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
