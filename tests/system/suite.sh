#!/usr/bin/env bash
# The suite itself: it runs with the system's folders in PATH and no other, a Python that it found may stand behind a wrapper
# that is first in PATH, and what was skipped is listed with its reason. What compares two builds sees a result that moved.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
skip_sanitized 'this is about scripts'

mpi_folder=$(dirname "$MPIEXEC")
for place in ${PATH//:/ }; do
    [[ $place =~ ^(/usr)?/s?bin$ || $place == "$mpi_folder" ]] || fail "$place is in PATH: $PATH"
done

# ---- A wrapper in PATH runs the Python that was found, not itself ----

python=$(python_with sys) || fail 'no Python'
[[ $python == /* ]] || fail "not a path: $python"
mkdir first
printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >first/python3
chmod +x first/python3
[ "$(PATH=$folder/first:$PATH timeout 20 python3 -c 'print(6 * 7)')" = 42 ] || fail 'the wrapper runs itself'
# One that stands there already is seen through.
python=$(PATH=$folder/first:$PATH python_with sys)
[[ $python == /* && $python != "$folder"/* ]] || fail "a wrapper was taken for Python: $python"

# ---- What was skipped ----

cat >CTestTestfile.cmake <<'TESTS'
add_test(whole bash -c "echo 'SKIPPED: no <cluster> & co'; exit 77")
add_test(part bash -c "echo begin; echo 'SKIPPED: a look'; echo 'SKIPPED: a look'; echo 'SKIPPED another'")
add_test(unit bash -c "echo '[SKIP] file::reads: no file'")
add_test(silent bash -c "exit 77")
add_test(fails bash -c "echo 'SKIPPED: half'; seq 20000; exit 1")
add_test(passes bash -c "echo nothing was SKIPPED: here")
set_tests_properties(whole part silent fails PROPERTIES SKIP_RETURN_CODE 77)
TESTS
ctest=$(dirname "${CMAKE:-/usr/bin/cmake}")/ctest
expect_exit 8 "$ctest" --output-junit "$folder/results.xml" --test-output-size-passed 1000000 --test-output-size-failed 1000000
"$ROBOTNAS_SOURCE/tests/skipped.py" results.xml >list
diff - list <<'LIST' >&2 || fail 'another list of what was skipped'

Skipped, and why:
  fails   half
  part    a look
  part    another
  silent  the whole test: SKIP_RETURN_CODE=77
  unit    file::reads: no file
  whole   the whole test: no <cluster> & co
LIST
expect_exit 0 "$ctest" -R passes --output-junit "$folder/results.xml"
"$ROBOTNAS_SOURCE/tests/skipped.py" results.xml >list
[ "$(tail -n 1 list)" = 'Skipped: nothing' ] || fail "skipped: $(<list)"

# ---- Two builds that find the same, and two that do not ----

cat >other <<END
#!/usr/bin/env bash
case \$1 in
search) exec "$ROBOTNAS" "\$@" --set seed=1 ;;
verify) exec "$ROBOTNAS" verify "$ROBOTNAS_SOURCE/tests/data/reference-mixed.h5" "\${@:3}" ;;
*) exec "$ROBOTNAS" "\$@" ;;
esac
END
chmod +x other
same=("$ROBOTNAS_SOURCE/scripts/same_results.sh" --quick --only '^fashion-mnist-table|^reference-nopath-ref' --keep kept)
expect_exit 0 "${same[@]}" "$ROBOTNAS" "$ROBOTNAS"
! grep -v -e '^same ' -e '^left out' -e ' 0 differ' out >&2 || fail 'a build differs from itself'
expect_exit 1 "${same[@]}" "$ROBOTNAS" other
expect_line out '^DIFFERS     fashion-mnist-table-search-table-2$'
expect_line out '^  json$'
expect_line out '^  csv$'
if python_with h5py >python; then
    expect_line out '^DIFFERS     reference-nopath-ref$'
    expect_line out '^    expected/logits$'
fi
expect_exit 1 "${same[@]}" /bin/false /bin/false
expect_line out '^0 same, .* differ, '
expect_exit 2 "${same[@]}" "$ROBOTNAS"
