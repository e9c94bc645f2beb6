#!/usr/bin/env bash
# The schema of job files: every shipped job is one by it, and it takes and refuses what the program's reader does.
# shellcheck source=tests/system/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROBOTNAS" check --schema >schema.json
"$ROBOTNAS" check --schema >again.json
cmp schema.json again.json || fail 'the schema is another each time'

python=$(python_with "jsonschema, yaml") || {
    skip_part 'no Python with jsonschema and yaml'
    exit
}
small_job small.yaml
python3 "$ROBOTNAS_SOURCE/tests/system/images.py" images.bin 300 1
cat >images.yaml <<YAML
name: images
output: images.h5
pool: {space: nas-bench-201, subset: {sample: 3}}
network: {channels: 4, cells: 1}
data: {format: cifar-binary, train: [images.bin], test: [images.bin]}
metrics: {source: compute, names: [snip, flops], batch: 4}
objective: {kind: train, epochs: 1, batch: 4}
search: {method: robot, budget: 2}
YAML
cat >files.yaml <<YAML
name: files
pool: {space: onnx, table: files.csv, onnx: "{arch}.onnx"}
data: {format: cifar-binary, train: [images.bin]}
metrics: {source: compute, names: [snip], batch: 4}
network: {weights: uniform}
YAML
changed=(--changed "$ROBOTNAS" small.yaml images.yaml)
if is_sanitized; then
    skip_part 'without sanitizers only: the program reads here what it reads in bad_inputs'
    changed=()
fi
"$python" "$ROBOTNAS_SOURCE/tests/system/schema_check.py" schema.json "$ROBOTNAS_SOURCE"/jobs/*.yaml files.yaml "${changed[@]}"
