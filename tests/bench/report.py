#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a bench.json as tables.

report.py bench.json              for a terminal
report.py --markdown bench.json   for docs/performance-analysis.md
"""
import json
import sys

TITLES = {
    "engine-cost": "Load engine: CPU per streamed event",
    "engine-truth": "Load engine: truth",
    "engine-memory": "Load engine: memory",
    "services": "Services",
    "protocols": "gRPC against REST, and loading a model",
    "core": "Parsers, statistics, history",
    "chart-paint": "A frame of a chart",
    "first-frame": "The window's first frame",
    "window": "The window at rest, and during a run",
}
HEADS = ["figure", "median", "spread", "reference", "ratio", "goal", "met"]


def number(value):
    if value is None:
        return "-"
    if value != 0 and abs(value) < 0.001:
        return "%.1e" % value
    if abs(value) >= 1000:
        return "{:,.0f}".format(value)
    return "%.3g" % value


def verdict(figure):
    if figure["goal"] is None:
        return ""
    if figure["met"] is None:
        return "not judged"
    return "yes" if figure["met"] else "**no**"


def row(figure):
    reference = figure["reference"]
    return [figure["name"].split("/", 1)[1],
            "%s %s" % (number(figure["median"]), figure["unit"]),
            "%s .. %s" % tuple(number(value) for value in figure["spread"]),
            "" if reference is None else "%s: %s" % (reference["name"], number(reference["median"])),
            "" if figure["ratio"] is None else "%.2f" % figure["ratio"],
            (figure["goal"] or "").replace("<=", "≤").replace(">=", "≥"),
            verdict(figure)]


def groups(figures):
    found = {}
    for figure in figures:
        found.setdefault(figure["name"].split("/")[0], []).append(figure)
    return found


def host_line(report):
    host = report["host"]
    versions = ", ".join("%s %s" % item for item in host["versions"].items())
    return ("%s, %d cores, %s GiB; %s, %s; %s. Load average %s before and %s after. Build: %s.%s"
            % (host["cpu"], host["cores"], number(host["memory_gib"]), host["os"], host["kernel"], versions,
               number(host["load_before"]), number(host["load_after"]), host["build"],
               " A quick run: too short to judge by." if report["quick"] else ""))


def markdown(report):
    lines = ["Measured %s on %s" % (report["date"], host_line(report))]
    for name, figures in groups(report["figures"]).items():
        lines += ["", "### " + TITLES.get(name, name), "", "| %s |" % " | ".join(HEADS), "|---" * len(HEADS) + "|"]
        for figure in figures:
            lines.append("| %s |" % " | ".join(row(figure)))
        notes = {}
        for figure in figures:
            if figure.get("note"):
                notes.setdefault(figure["note"], []).append("`%s`" % figure["name"].split("/", 1)[1])
        lines += [""] * bool(notes) + ["* %s: %s" % (", ".join(names), note) for note, names in notes.items()]
    return "\n".join(lines) + "\n"


def table(report):
    rows = [HEADS]
    for name, figures in groups(report["figures"]).items():
        rows += [[name] + [""] * (len(HEADS) - 1)] + [["  " + cells[0]] + cells[1:] for cells in map(row, figures)]
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(HEADS))]
    text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in rows)
    return "%s\n%s\n" % (host_line(report), text.replace("**no**", "NO"))


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--markdown"]
    if len(arguments) != 1:
        sys.exit(__doc__.strip())
    with open(arguments[0], encoding="utf-8") as stream:
        report = json.load(stream)
    sys.stdout.write((markdown if "--markdown" in sys.argv else table)(report))


if __name__ == "__main__":
    main()
