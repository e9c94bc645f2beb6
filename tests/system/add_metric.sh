#!/usr/bin/env bash
# CONTRIBUTING's recipe for a metric, step by step, in a copy of the source tree: a file, a line in the list, a word for CMake. What
# that did not touch is not compiled again.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'this is about the recipe'
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"

export COPY=$folder/copy ORIGINAL=$ROBOTNAS_SOURCE BUILD=${ROBOTNAS%/coordinator/robotnas}
[ -f "$BUILD/CMakeCache.txt" ] || skip "$ROBOTNAS is not in the folder that it was built in"
mkdir copy
cp -r "$ORIGINAL"/{CMakeLists.txt,cmake,common,worker,coordinator,tests} copy
metrics=copy/worker/engine/metrics

# ---- The recipe ----

sed 's/template/log_params/' "$ORIGINAL/tests/tools/template_metric.c" >$metrics/log_params.c
sed -i 's/^    METRIC(params) .*/&\n    METRIC(log_params) \\/' $metrics/metrics.c
sed -i 's/flops\.c/& log_params.c/' $metrics/CMakeLists.txt

# cached NAME: what the original was configured with.
cached() {
    sed -n "s/^$1:[A-Z]*=//p" "$BUILD/CMakeCache.txt"
}
options=(-DCMAKE_C_COMPILER_LAUNCHER="$ORIGINAL/tests/tools/reuse_object.sh")
for name in CMAKE_BUILD_TYPE CMAKE_C_COMPILER CMAKE_C_FLAGS CMAKE_PREFIX_PATH ROBOTNAS_FAULTS ROBOTNAS_WERROR; do
    options+=("-D$name=$(cached "$name")")
done
expect_exit 0 "$CMAKE" -S copy -B copy/build -G "$(cached CMAKE_GENERATOR)" "${options[@]}"
expect_exit 0 "$CMAKE" --build copy/build --target robotnas
diff <(sort copy/compiled) - <<END >&2 || fail 'something else was compiled'
compiled worker/engine/metrics/log_params.c
compiled worker/engine/metrics/metrics.c
END

# ---- It is a metric like the others ----

score_job job.yaml
expect_exit 0 copy/build/coordinator/robotnas score job.yaml --set 'metrics.names=[params, log_params]'
copy/build/coordinator/robotnas report small.h5 --csv scores.csv
python3 - <<'PYTHON' || fail "other values: $(<scores.csv)"
import csv, math
rows = list(csv.DictReader(open("scores.csv")))
assert len(rows) == 24
assert all(math.isclose(float(row["log_params"]), math.log(float(row["params"])), rel_tol=1e-12) for row in rows)
PYTHON
