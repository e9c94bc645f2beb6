#!/bin/sh
# trainer.sh INDEX: a value for an architecture, noted in the file `runs`; the architecture FAILING fails.
echo "$1" >>"$(dirname "$0")/runs"
[ "$1" != "${FAILING-}" ] || exit 3
echo "{\"score\": $(($1 * 7 % 16)), \"cost\": $1, \"twice\": $(($1 * 14 % 32))}"
