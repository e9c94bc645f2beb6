#!/usr/bin/env bash
# docs/own-space.md as it stands there, with fewer networks and images: a space of PyTorch networks is exported, searched, its winner
# trained, exported and loaded into PyTorch, which finds as many images right as the report says.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'the program does here what it does in onnx_pools, and the rest is Python'
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
python=$(python_with torch) || skip 'no Python with torch'
page=$ROBOTNAS_SOURCE/docs/own-space.md images=/usr/share/datasets/fashion-mnist
export PYTHONDONTWRITEBYTECODE=1

mkdir export bin
(cd export && PYTHONPATH=$ROBOTNAS_SOURCE/jobs/pytorch "$python" "$ROBOTNAS_SOURCE/tests/system/export_pool_check.py") ||
    fail 'export_pool.py does otherwise'

# ---- The page ----

if [ ! -d "$images" ]; then
    skip_part "the page's search: no $images (Debian: dataset-fashion-mnist)"
    exit
fi
awk '$0 == "```" { file = ""; next }
    /^```sh/     { file = "commands." ++n; next }
    /^```/       { file = $2; next }
    file         { print >file }' "$page"
[ "$(echo ./*.*)" = './commands.1 ./commands.2 ./commands.3 ./commands.4 ./mobile.yaml ./predict.py ./winner.yaml' ] ||
    fail "$page has other blocks: $(echo ./*)"

# The first 1,000 images of each file.
python3 - "$images" <<'PY'
import gzip, pathlib, struct, sys
for path in pathlib.Path(sys.argv[1]).glob("*-ubyte.gz"):
    data = gzip.open(path).read()
    head = 4 + 4 * data[3]
    size = 1000 * (len(data) - head) // struct.unpack(">i", data[4:8])[0]
    pathlib.Path(path.name).write_bytes(gzip.compress(data[:4] + struct.pack(">i", 1000) + data[8:head + size], 1))
PY
smaller commands.1 's/--sample 200/--sample 12/'
for job in mobile winner; do
    smaller $job.yaml "s|$images|$folder|g" "s/^seed: 1$/&\nbackend: $backend/" 's/epochs: [0-9]*, batch: 64/epochs: 2, batch: 16/'
done
smaller predict.py "s|$images|$folder|"
smaller mobile.yaml 's/limit: 20000/limit: 600/' 's/flops\]/flops], batch: 8/' 's/budget: 10/budget: 4/'
ln -s "$ROBOTNAS" bin/robotnas
ln -s "$MPIEXEC" bin/mpirun
ln -s "$ROBOTNAS_SOURCE/jobs" jobs
printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >bin/python3
chmod +x bin/python3

# commands N: what they say is in out and err.
commands() {
    printf '%3d s: commands %s\n' "$SECONDS" "$1"
    PATH=$folder/bin:$PATH expect_exit 0 bash -euo pipefail "commands.$1"
}
commands 1
expect_line out '^pool/pool.csv: 12 networks, '
commands 2
commands 3
[ "$(wc -l <pool/winner.csv)" = 2 ] || fail "not one winner: $(<pool/winner.csv)"
commands 4
cat out
"$ROBOTNAS" report winner.h5 --json >report.json
PYTHONPATH=$ROBOTNAS_SOURCE/jobs/pytorch "$python" "$ROBOTNAS_SOURCE/tests/system/own_space_check.py" report.json winner.onnx "$folder" \
    "$(<out)" || fail 'PyTorch finds other images right than the report says'
