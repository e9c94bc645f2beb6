#!/usr/bin/env bash
# Every job that ships runs to its end, with fewer repeats. Those on published tables are skipped, by name, where the tables are
# not there.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

skipped=()
for job in "$ROBOTNAS_SOURCE"/jobs/*.yaml; do
    name=$(basename "$job" .yaml)
    if grep -q '^[^#]*ROBOTNAS_TABLES' "$job" && ! have_tables; then
        skipped+=("$name")
        continue
    fi
    expect_exit 0 "$ROBOTNAS" check "$job"
    expect_exit 0 "$ROBOTNAS" search "$job" --set search.repeats=2 --set "output=$name.h5"
    grep -q ', complete$' out || fail "$name: the report says nothing of complete"
    expect_exit 0 "$ROBOTNAS" report "$name.h5" --json
    grep -q '"complete": true' out || fail "$name is not complete"
    grep -q "\"job\": \"$name\"" out || fail "$name is called otherwise in its file"
done
[ ${#skipped[@]} = 0 ] || skip "jobs on published tables: ${skipped[*]}"
