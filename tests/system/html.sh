#!/usr/bin/env bash
# The page of a run: well-formed, with its sections, without scripts or anything from elsewhere; equal runs have equal pages; names of
# users are no markup; a browser shows it without a complaint.
# shellcheck source=tests/system/lib.sh
source "$(dirname "$0")/lib.sh"

# expect_page PAGE SECTION...: see html_check.py.
expect_page() {
    python3 "$ROBOTNAS_SOURCE/tests/system/html_check.py" "$@" || fail "the page $1"
}

# without_timing PAGE: what equal runs share of it.
without_timing() {
    sed '/^<section id="timing"/,/^<\/section>/d' "$1"
}

small_job job.yaml
expect_exit 0 "$ROBOTNAS" search job.yaml
expect_exit 0 "$ROBOTNAS" report small.h5 --html page.html
expect_page page.html best course learned objective failures timing job
grep -q '<text class="op halo"[^>]*>nor_conv_3x3</text>' page.html || fail 'the cell is not drawn'

# Numbers are those of the text.
objective=$("$ROBOTNAS" report small.h5 | sed -n 's/^  objective  *\([0-9.]*\)$/\1/p')
grep -q "<dt>best objective</dt><dd>$objective</dd>" page.html || fail "the best objective $objective is not there"

# Equal runs have equal bytes, in a file and on standard output, on any number of ranks.
expect_exit 0 "$ROBOTNAS" report small.h5 --html -
cmp out page.html
expect_exit 0 ranks 2 "$ROBOTNAS" search job.yaml --set output=two/small.h5
expect_exit 0 "$ROBOTNAS" report two/small.h5 --html two.html
cmp <(without_timing page.html) <(without_timing two.html) || fail 'two ranks have another page'

# Several runs over each other.
expect_exit 0 "$ROBOTNAS" search job.yaml --set output=random.h5 --set search.method=random
expect_exit 0 "$ROBOTNAS" report small.h5 --against random.h5 --html both.html
expect_page both.html best course learned objective failures timing job
expect_line both.html '</svg>small, random</li>$'

# A run that was stopped before it evaluated anything.
touch stopped.h5.stop
expect_exit 75 "$ROBOTNAS" search job.yaml --set output=stopped.h5
expect_exit 0 "$ROBOTNAS" report stopped.h5 --html stopped.html
grep -q 'NOT COMPLETE' stopped.html || fail 'an unfinished run is not called so'

# Names and reasons are no markup.
awk 'BEGIN { print "arch,\"a\"\"<b>\",b"
             for (i = 0; i < 16; i++) printf "\"<img src=x onerror=alert(%d)>&\"\"]]>\",%d,%d\n", i, i * 7 % 11, i * 5 % 13 }' >pool.csv
cat >hostile.yaml <<'JOB'
name: hostile
output: hostile.h5
pool: {space: table, table: pool.csv}
metrics: {names: ['a"<b>', b]}
objective: {kind: command, command: [sh, "{job}/trainer.sh", "{index}", "</pre><script>alert(2)</script>"]}
search: {method: robot, budget: 8}
JOB
cat >trainer.sh <<'TRAINER'
[ $(($1 % 2)) = 0 ] || { echo '{"</td><script>alert(1)</script>": 1}' && exit 0; }
echo "{\"score\": $1}"
TRAINER
expect_exit 0 "$ROBOTNAS" search hostile.yaml
expect_exit 0 "$ROBOTNAS" report hostile.h5 --html hostile.html
expect_page hostile.html best course learned failures timing job
grep -q '&lt;/td&gt;&lt;script&gt;alert(1)' hostile.html || fail 'the reason of the failures is not there'
grep -q '&lt;img src=x onerror=alert(' hostile.html || fail 'the names are not there'

# What is refused.
for other in --json '--csv x.csv'; do
    # shellcheck disable=SC2086 # an option and its argument
    expect_exit 2 "$ROBOTNAS" report small.h5 --html x.html $other
    expect_line err '^robotnas: report: --html excludes --json and --csv$'
done
expect_exit 2 "$ROBOTNAS" report small.h5 --html random.h5
expect_line err '^robotnas: random\.h5 is the state file of a run'

# A browser draws it, in both schemes and on a telephone, and has nothing to say.
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    skip_part 'the page in a browser: no chromium'
    exit 0
}
for scheme in 0 1; do
    HOME=$folder "$browser" --headless --no-sandbox --disable-gpu --enable-logging=stderr --blink-settings="preferredColorScheme=$scheme" \
        --window-size=420,900 --screenshot="$folder/shot-$scheme.png" "file://$folder/hostile.html" >log 2>&1 || fail "the browser: $(cat log)"
    if grep -q CONSOLE log; then fail "the browser complains: $(grep CONSOLE log)"; fi
    [ -s "shot-$scheme.png" ] || fail 'the browser drew nothing'
done
if cmp -s shot-0.png shot-1.png; then fail 'light and dark look the same'; fi
