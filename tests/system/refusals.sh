# shellcheck shell=bash
# How the tests of bad input try it; lib.sh sources first. Bad input of every kind is refused: exit code 2, one line on stderr
# that says where and what, nothing on stdout, no file changed, in no time. The test lays the input in the folder case.

: "${folder:?}"
limit_us=2000000
is_sanitized && limit_us=30000000
mkdir said
chmod a+rx .
declare -A kinds=()
n_failed=0

# inputs: what lies in the folder of the case, with size and time of the last change; folders may come and go.
inputs() {
    find "$folder/case" ! -type d -printf '%P %s %i %T@\n' | sort
}

# try COMMAND...: run it with its output under said/; sets code and took_us, which it spent on processors: other programs may have
# them meanwhile.
try() {
    local TIMEFORMAT='%3U %3S' user system
    code=0
    { time "$@" >"$folder/said/out" 2>"$folder/said/err"; } 2>"$folder/spent" || code=$?
    read -r user system <"$folder/spent"
    took_us=$(((10#${user/[.,]/} + 10#${system/[.,]/}) * 1000))
}

# refused KIND PATTERN COMMAND...: the promise at the top of this file, for one command. mpiexec adds a banner and two seconds
# of its own to a command that fails: neither counts.
refused() {
    local kind=$1 pattern=$2 code took_us before line n_lines wrong="" limit_us=$limit_us
    shift 2
    [ "$1" != ranks ] || limit_us=$((limit_us + 2000000))
    before=$(inputs)
    try "$@"
    [ "$1" != ranks ] || sed -i '/^robotnas: /!d' "$folder/said/err"
    line=$(head -c 4000 "$folder/said/err")
    n_lines=$(wc -l <"$folder/said/err")
    # shellcheck disable=SC2053 # the pattern is one
    [[ $line == robotnas:\ $pattern ]] || wrong+=" message"
    [ "$n_lines" = 1 ] || wrong+=" $n_lines-lines"
    [ "$code" = 2 ] || wrong+=" exit-code-$code"
    [ ! -s "$folder/said/out" ] || wrong+=" stdout"
    ((took_us <= limit_us)) || wrong+=" took-${took_us}us"
    [ "$before" = "$(inputs)" ] || wrong+=" files-changed"
    kinds[$kind]=1
    [ -z "$wrong" ] && return
    n_failed=$((n_failed + 1))
    printf '%s: wrong:%s\n  command:  %s\n  expected: robotnas: %s\n  found:    %s\n' \
        "$kind" "$wrong" "$*" "$pattern" "$line" >&2
}

# end_of_refusals: fails where a command was not refused as it must.
end_of_refusals() {
    [ "$n_failed" = 0 ] || fail "$n_failed commands"
    echo "${#kinds[@]} kinds of bad input are refused"
}
