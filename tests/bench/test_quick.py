#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""That the benchmarks work: all of them in a run of seconds, whose JSON must be complete and sane. No
time is judged here.

test_quick.py BUILD
"""
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, SOURCE)
import report as tables  # noqa: E402

KEYS = {"name", "unit", "median", "spread", "runs", "reference", "ratio", "goal", "met", "quick", "note"}
# A figure of each that every machine has.
WANTED = ["engine-cost/cpu/64-streams/engine", "engine-cost/cpu/64-streams/libcurl", "engine-cost/capacity/events-per-s",
          "engine-truth/stamp-error/1000-streams/p99", "engine-truth/ttft-error/64-streams/p50",
          "engine-truth/schedule-error/poisson-500-per-s/p99", "engine-memory/per-stream",
          "services/infer/8-at-a-time", "services/list-models/cached", "services/connections/reused",
          "services/stream/last-tenth", "protocols/grpc/infer", "protocols/model-load/known-after", "core/sse-parser",
          "core/json-scan", "core/histogram-record", "core/history-insert/100-requests"]
# Where there is a screen to be had.
WANTED_WINDOW = ["first-frame/window", "window/idle/wake-ups", "window/stall/1000-streams/longest"]


def check_rounds(rounds):
    runs = rounds["runs"]
    assert len(runs) > 0, "no runs"
    assert all(isinstance(value, (int, float)) and math.isfinite(value) for value in runs), runs
    assert rounds["spread"] == [min(runs), max(runs)], rounds["spread"]
    assert min(runs) <= rounds["median"] <= max(runs), rounds["median"]


def check_figure(figure):
    assert set(figure) == KEYS, set(figure) ^ KEYS
    assert figure["quick"] and figure["met"] is None, "a quick run judges nothing"
    check_rounds(figure)
    # A stamp may be compared with a sender that was late; whatever else is measured has a size.
    assert figure["median"] >= 0, figure["median"]
    if figure["reference"] is not None:
        check_rounds(figure["reference"])
        assert figure["reference"]["name"]
        assert figure["ratio"] is not None and figure["ratio"] >= 0, figure["ratio"]
    if figure["goal"] is not None:
        sign, limit = figure["goal"].replace("ratio ", "").split()
        assert sign in ("<=", ">=") and float(limit) > 0, figure["goal"]


def check_unique(figures):
    names = [figure["name"] for figure in figures]
    assert len(set(names)) == len(names), "a name stands twice"


def check_tables(report):
    text = tables.markdown(report)
    assert "too short to judge" in text and report["host"]["cpu"] in text
    for figure in report["figures"]:
        assert "| %s |" % figure["name"].split("/", 1)[1] in text, figure["name"]
    assert "engine-cost" in tables.table(report)


def check_wanted(figures):
    wanted = WANTED + (WANTED_WINDOW if shutil.which("Xvfb") and os.path.exists(
        os.path.join(sys.argv[1], "tests", "bench", "window-stall")) else [])
    missing = set(wanted) - {figure["name"] for figure in figures}
    assert not missing, "missing: %s" % sorted(missing)


def check_host(host):
    assert host["cpu"] and host["cores"] > 0 and host["kernel"] and "GLib" in host["versions"], host


def main():
    with tempfile.TemporaryDirectory(prefix="tacho-bench-") as folder:
        path = os.path.join(folder, "bench.json")
        done = subprocess.run([sys.executable, os.path.join(SOURCE, "run_bench.py"), sys.argv[1], path, "--quick"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        for line in done.stdout.splitlines():
            print("# " + line)
        report = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                report = json.load(stream)
    figures = report.get("figures", [])
    checks = [("all benchmarks run", lambda: check_status(done.returncode)), ("the host", lambda: check_host(report["host"])),
              ("every benchmark has figures", lambda: check_wanted(figures)), ("names", lambda: check_unique(figures)),
              ("tables", lambda: check_tables(report))]
    checks += [(figure["name"], lambda figure=figure: check_figure(figure)) for figure in figures]
    print("1..%d" % len(checks))
    failed = False
    for number, (name, check) in enumerate(checks, 1):
        try:
            check()
            print("ok %d %s" % (number, name))
        except (AssertionError, KeyError) as error:
            failed = True
            print("not ok %d %s" % (number, name))
            print("# %s: %s" % (type(error).__name__, error))
    sys.exit(1 if failed else 0)


def check_status(status):
    assert status == 0, status


if __name__ == "__main__":
    main()
