#!/usr/bin/env python3
"""What a run of the suite skipped, and why: one list, from the results that ctest wrote (--output-junit).

usage: tests/skipped.py RESULTS.xml

A test says `SKIPPED: REASON` where it leaves out a part of itself or, with exit code 77, all of it; Criterion says
`[SKIP] SUITE::TEST: REASON`.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

SAID = re.compile(r"^(?:SKIPPED:? *|\[SKIP\] *)(.+?)\s*$", re.MULTILINE)


def skipped(case):
    """The reasons of one test, none where it ran as a whole."""
    reasons = list(dict.fromkeys(SAID.findall(case.findtext("system-out") or "")))
    if case.find("skipped") is None:
        return reasons
    why = case.find("skipped").get("message") or "ctest says no reason"
    return ["the whole test: " + reason for reason in reasons or [why]]


def main():
    cases = ElementTree.parse(sys.argv[1]).getroot().iter("testcase")
    lines = [(case.get("name"), reason) for case in cases for reason in skipped(case)]
    print("\nSkipped, and why:" if lines else "\nSkipped: nothing")
    width = max((len(name) for name, _ in lines), default=0)
    for name, reason in sorted(lines):
        print(f"  {name:{width}}  {reason}")


if __name__ == "__main__":
    main()
