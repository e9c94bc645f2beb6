#!/usr/bin/env bash
# One fault of every kind of the campaign (fault_campaign.py); kinds that a sanitizer cannot bear say so (kinds.py).
# docs/reliability.md has the table of a long one.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python=$(python_with h5py) || skip "no Python with h5py"
export PYTHONDONTWRITEBYTECODE=1 TMPDIR=$folder
"$python" "$ROBOTNAS_SOURCE/tests/system/fault_campaign.py" --each --seed "${NAS_TEST_SEED:-1}"
