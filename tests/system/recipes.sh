#!/usr/bin/env bash
# The recipes of docs/recipes.md, as they stand there, with smaller networks, images and trainings.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'the program does here what it does in train, command and reuse'
# shellcheck source=tests/system/scoring.sh
. "$ROBOTNAS_SOURCE/tests/system/scoring.sh"
page=$ROBOTNAS_SOURCE/docs/recipes.md
python3 -c 'import numpy' 2>/dev/null || PATH=/usr/bin:$PATH
python3 -c 'import numpy' 2>/dev/null || skip 'python3 has no numpy'

# The page's files, by the names after their language, and its commands, numbered.
awk '$0 == "```" { file = ""; next }
    /^```/       { file = $2 ? $2 : "block." ++n; next }
    file         { print >file }' "$page"
[ "$(echo ./*)" = './block.1 ./block.2 ./block.3 ./block.4 ./block.5 ./images.yaml ./make_pool.py ./mine.yaml ./train.py ./winner.yaml' ] ||
    fail "$page has other blocks: $(echo ./*)"

small_network='s/channels: 16, cells: 5/channels: 4, cells: 1/'
for job in images winner; do
    smaller $job.yaml "$small_network" 's/batch: 256/batch: 16/' "s/^seed: 1$/&\nbackend: $backend/"
done
smaller images.yaml 's/sample: 1000/sample: 12/' 's/nwot\]/nwot], batch: 8/' 's/epochs: 12/epochs: 1/' 's/budget: 20/budget: 4/'
smaller winner.yaml 's/epochs: 200/epochs: 3/'
smaller train.py 's/range(300)/range(20)/'
smaller block.2 's/--size 32/--size 8/'
smaller block.5 's/budget=40/budget=6/'
smaller block.4 "s|path/to|$ROBOTNAS_SOURCE|"
mkdir bin
ln -s "$ROBOTNAS" bin/robotnas
for part in train test; do
    python3 "$ROBOTNAS_SOURCE/tests/system/class_folders.py" photos/$part 30 8 1 cat dog
done

# recipe N: what its commands say is in out and err.
recipe() {
    printf '%3d s: commands %s\n' "$SECONDS" "$1"
    ROBOTNAS=$ROBOTNAS PATH=$folder/bin:$PATH expect_exit 0 bash -euo pipefail "block.$1"
}

recipe 1
grep -q '^  pool-gp over 36 architectures, budget 10, 1 repeat, complete$' out || fail "it says: $(<out)"
expect_exit 0 "$ROBOTNAS" search mine.yaml --set search.method=rea --set output=rea.h5

recipe 2
recipe 3
[ "$(wc -l <winner.txt)" = 1 ] || fail "not one winner: $(<winner.txt)"
grep -q '^  random over 1 architectures\{0,1\}, budget 1, 3 repeats, complete$' out || fail "it says: $(<out)"
[ -s winner.onnx ] || fail 'no model'
"$ROBOTNAS" export winner.h5 >again.json
[ "$(python3 -c 'import json; print(json.load(open("again.json"))["arch"])')" = "$(<winner.txt)" ] || fail 'another one was trained'

recipe 4
expect_line out '^3 of 3 complete: mean '

recipe 5
n_taken=$("$ROBOTNAS" report images-40.h5 --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["timing"]["reused"])')
((n_taken >= 1)) || fail 'nothing was taken over'
expect_line out '^  images, pool-gp, images-40.h5'
