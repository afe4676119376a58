#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the cases of Meson's JUnit reports, names what failed or was skipped, and ends with one line.

count-tests.py NAME=REPORT.xml...   exit 1 if a case failed or nothing ran
"""
import sys
import xml.etree.ElementTree as tree


def cases(report):
    for suite in tree.parse(report).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            name = "%s %s" % (suite.get("name", "").replace("tacho.", ""), case.get("name", ""))
            if case.find("failure") is not None or case.find("error") is not None:
                yield name, "failed", ""
            elif case.find("skipped") is not None:
                skipped = case.find("skipped")
                yield name, "skipped", skipped.get("message") or (skipped.text or "").strip()
            else:
                yield name, "passed", ""


def main():
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for argument in sys.argv[1:]:
        run, _, report = argument.partition("=")
        try:
            found = list(cases(report))
        except (OSError, tree.ParseError) as error:
            found = [("no report: %s" % error, "failed", "")]
        for name, outcome, why in found:
            count[outcome] += 1
            if outcome != "passed":
                print("%s: %s: %s%s" % (outcome, run, name, " (%s)" % why if why else ""))
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % count)
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
