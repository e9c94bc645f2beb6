#!/usr/bin/env python3
"""Compare the schema of job files with the program's reader.

usage: schema_check.py SCHEMA.json JOB.yaml... [--changed ROBOTNAS JOB.yaml...]

Every job is one by the schema. Those behind --changed, which `robotnas check` takes, are changed one key at a time: removed, with values
of other kinds and out of range or every name it may have, and with a key that nobody knows beside it. What the schema refuses, the
program must refuse; what the program's reader of jobs refuses, the schema must."""
import copy
import json
import re
import subprocess
import sys
import tempfile
from typing import Any, Iterator

import jsonschema
import yaml

# What the reader says of a key, where the rest comes later, of files and of keys that do not go together.
OF_THE_READER = re.compile(r"unknown key|this key is required|has no meaning with|expected (?!a mapping of keys)")


class Loader(yaml.SafeLoader):
    """Numbers as the program reads them: 1e-8 is one."""


Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789"))


def places(job: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The key paths of a job."""
    for key, value in job.items():
        if isinstance(value, dict) and key not in ("subset", "transform"):
            yield from ((key, *rest) for rest in places(value))
        yield (key,)


def home(job: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for key in path[:-1]:
        job = job[key]
    return job


def names_of(schema: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    for key in path:
        schema = schema.get("properties", {}).get(key, {})
    return schema.get("enum", [])


def changes(job: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Jobs that differ from this one in one key, each with what is different."""
    for path in places(job):
        names = names_of(schema, path)
        for value in [[], "none of these", *(names or [{}, -1, 2**70, True, ["a", "a"]])]:
            other = copy.deepcopy(job)
            home(other, path)[path[-1]] = value
            yield f"{'.'.join(path)} = {value!r}", other
        other = copy.deepcopy(job)
        del home(other, path)[path[-1]]
        yield f"no {'.'.join(path)}", other
        other = copy.deepcopy(job)
        home(other, path)["nobody_knows"] = 1
        yield f"a key beside {'.'.join(path)}", other


def read(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def refusal(program: str, job: dict[str, Any]) -> str:
    """What the program says of a job; "": it takes it."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=".") as file:
        json.dump(job, file)  # JSON is YAML
        file.flush()
        return subprocess.run([program, "check", file.name], capture_output=True, text=True, check=False).stderr


def main() -> int:
    schema_path, *jobs = sys.argv[1:]
    split = jobs.index("--changed") if "--changed" in jobs else len(jobs)
    program, *changed = jobs[split + 1 :] or [""]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for path in jobs[:split] + changed:
        for error in validator.iter_errors(read(path)):
            sys.exit(f"{path}: {error.message}")
    n_refused = n = 0
    for path in changed:
        for what, other in changes(read(path), schema):
            said, error = refusal(program, other), next(validator.iter_errors(other), None)
            assert said or not error, f"{path}: {what}: the schema alone refuses it: {error.message}"
            assert error or not OF_THE_READER.search(said), f"{path}: {what}: the program alone refuses it: {said}"
            n_refused += error is not None
            n += 1
    print(f"{n} changed jobs, {n_refused} of them refused by both")
    return 0 if not changed or 0 < n_refused < n else 1


if __name__ == "__main__":
    sys.exit(main())
