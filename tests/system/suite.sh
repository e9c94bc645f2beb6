#!/usr/bin/env bash
# The suite itself: it runs with the system's folders in PATH and no other, a Python that it found may stand behind a wrapper
# that is first in PATH, and what was skipped is listed with its reason. Options of tests/run.sh choose tests, and build what those
# need. What compares two builds sees a result that moved.
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

# ---- tests/run.sh runs what it is asked for, and builds no more than one test needs ----

mkdir -p small/tests small/scripts
cp "$ROBOTNAS_SOURCE"/tests/{run.sh,skipped.py} small/tests
printf '#!/bin/sh\n' >small/scripts/install-deps.sh
chmod +x small/scripts/install-deps.sh
cat >small/CMakePresets.json <<'PRESETS'
{"version": 3, "configurePresets": [{"name": "dev", "generator": "Ninja", "binaryDir": "${sourceDir}/build/dev"}],
 "buildPresets": [{"name": "dev", "configurePreset": "dev"}]}
PRESETS
cat >small/CMakeLists.txt <<'PROJECT'
cmake_minimum_required(VERSION 3.21)
project(small LANGUAGES NONE)
enable_testing()
function(small_test name target)
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E true)
    set_tests_properties(${name} PROPERTIES LABELS "${ARGN}")
    if(NOT TARGET ${target})
        add_custom_target(${target} ALL COMMAND ${CMAKE_COMMAND} -E touch ${PROJECT_SOURCE_DIR}/built.${target})
    endif()
endfunction()
small_test(unit.gp test_gp unit)
small_test(unit.gpx test_gpx unit sanitized)
small_test(fuzz.job fuzz_job unit)
small_test(mpi.gp.1 test_mpi_gp mpi)
small_test(mpi.gp.2 test_mpi_gp mpi)
small_test(system.gp system_tests system)
small_test(system.notes system_tests system quick)
PROJECT

# runs_tests OPTIONS TESTS TARGETS: what run.sh runs and builds with these options.
runs_tests() {
    rm -f small/built.*
    # shellcheck disable=SC2086 # options are words
    expect_exit 0 small/tests/run.sh $1
    [ "$(sed -n 's/^ *[0-9]*\/[0-9]* Test *#[0-9]*: \([^ ]*\) .*/\1/p' out | sort | xargs)" = "$2" ] || fail "run.sh $1 ran: $(<out)"
    [ "$(cd small && printf '%s\n' built.* | sed 's/^built.//' | xargs)" = "$3" ] || fail "run.sh $1 built: $(ls small)"
}
everything='fuzz_job system_tests test_gp test_gpx test_mpi_gp'
runs_tests '' 'fuzz.job mpi.gp.1 mpi.gp.2 system.gp system.notes unit.gp unit.gpx' "$everything"
runs_tests --quick 'fuzz.job system.notes unit.gp unit.gpx' "$everything"
runs_tests --rest 'fuzz.job mpi.gp.1 mpi.gp.2 system.gp system.notes unit.gp' "$everything"
runs_tests '--label mpi' 'mpi.gp.1 mpi.gp.2' "$everything"
runs_tests '--only unit.gp' unit.gp test_gp
runs_tests '--preset dev --only gp' 'mpi.gp.1 mpi.gp.2 system.gp unit.gp' 'system_tests test_gp test_mpi_gp'
runs_tests '--only job' fuzz.job fuzz_job
runs_tests '--only mpi.gp.2' mpi.gp.2 test_mpi_gp
expect_exit 2 small/tests/run.sh --only nothing
expect_line err "^tests/run.sh: no test is called 'nothing'"
for wrong in '--only' '--quick --only gp' '--label unit --quick' '--only a|b' '--fast'; do
    # shellcheck disable=SC2086 # options are words
    expect_exit 2 small/tests/run.sh $wrong
    expect_line err '^# usage: tests/run.sh '
done

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
