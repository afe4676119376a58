#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window when nothing happens and when much does: how often it wakes while it is idle, how long
its main loop is away during a run of 1000 streams, and what a frame costs that scrolls 10,000 models.

window.py BUILD [--quick] [--only TEXT]
"""
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import first_frame  # noqa: E402

STREAMS = 1000
MODELS, FEW = 10000, 100
SETTLE_S = 14  # a cursor blinks for ten seconds


def wake_ups(pid):
    """How often each thread was woken since it began."""
    found = {}
    for thread in os.listdir("/proc/%d/task" % pid):
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            with open("/proc/%d/task/%s/status" % (pid, thread), encoding="utf-8") as stream:
                found[thread] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", stream.read(), re.M).group(1))
    return found


def environment(screen, build):
    env = first_frame.environment(screen, build)
    env["GSETTINGS_SCHEMA_DIR"] = os.path.join(build, "data")
    return env


def idle_wake_ups(screen, command, env, seconds):
    """A second, of all threads. Any redraw needs one."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if not screen.wait(False, process):
            raise RuntimeError("%s showed no window" % command[0])
        time.sleep(SETTLE_S)
        before = wake_ups(process.pid)
        time.sleep(seconds)
        after = wake_ups(process.pid)
        return sum(count - before.get(thread, 0) for thread, count in after.items()) / seconds
    finally:
        process.terminate()
        process.wait()
        screen.wait(True)


def stalls(build, env, seconds):
    """In ms: the longest gap before the run, in it, their 99th percentile, the longest at its end, and the most
    processor time of the thread in one."""
    simulator = subprocess.Popen(
        [os.path.join(build, "src", "cli", "tacho-cli"), "simulate", "--slots", str(STREAMS), "--ttft", "200", "--itl",
         "100"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = re.search(r"http://\S+", simulator.stdout.readline()).group(0)
        done = subprocess.run([os.path.join(build, "tests", "bench", "window-stall"), url, str(STREAMS), str(seconds)],
                              env=env, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode != 0:
            raise RuntimeError("window-stall: " + done.stderr)
        return [float(value) for value in done.stdout.split()]
    finally:
        simulator.terminate()
        simulator.wait()


def scrolling(build, env, models, frames):
    """In ms: the median, 99th percentile and longest frame while the model browser scrolls through all of them."""
    simulator = subprocess.Popen(
        [os.path.join(build, "src", "cli", "tacho-cli"), "simulate", "--models", str(models)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = re.search(r"http://\S+", simulator.stdout.readline()).group(0)
        done = subprocess.run([os.path.join(build, "tests", "bench", "window-scroll"), url, str(models), str(frames)],
                              env=env, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode != 0:
            raise RuntimeError("window-scroll: " + done.stderr)
        return [float(value) for value in done.stdout.split()]
    finally:
        simulator.terminate()
        simulator.wait()


def figure(name, unit, values, limit, quick, note, reference_name=None, reference=None):
    rounds = first_frame.rounds_of(values)
    given = None if reference is None else dict({"name": reference_name}, **first_frame.rounds_of(reference))
    ratio = None if reference is None else rounds["median"] / max(given["median"], 1e-9)
    return dict({"name": "window/" + name, "unit": unit}, **rounds, reference=given, ratio=ratio,
                goal="<= %g" % limit if limit else None,
                met=rounds["median"] <= limit if limit and not quick else None, quick=quick, note=note)


def measure(build, quick, only):
    figures = []
    with tempfile.TemporaryDirectory(prefix="tacho-bench-") as folder:
        screen = first_frame.Screen(folder)
        env = environment(screen, build)
        try:
            if only in "idle/wake-ups":
                command = [os.path.join(build, "src", "app", "tacho"), "--url", "sim:", "--new-benchmark"]
                values = [idle_wake_ups(screen, command, env, 2 if quick else 10) for _ in range(1 if quick else 3)]
                figures.append(figure("idle/wake-ups", "1/s", values, 4, quick,
                                      "of all threads; the look at the server's health every 5 s is some ten of them,"
                                      " a frame clock that runs would be 60 and more a second"))
            if only in "stall/1000-streams":
                rounds = [stalls(build, env, 3 if quick else 10) for _ in range(1 if quick else 3)]
                quiet, run, p99, end, busy = ([one[i] for one in rounds] for i in range(5))
                figures.append(figure("stall/1000-streams/longest", "ms", run, 50, quick,
                                      "between two calls of a timer of 5 ms", "before the run", quiet))
                figures.append(figure("stall/1000-streams/busiest", "ms", busy, 50, quick,
                                      "processor time of the main thread between two calls: the rest of a gap is waiting"
                                      " for a processor"))
                figures.append(figure("stall/1000-streams/p99", "ms", p99, 0, quick, "the same, 99th percentile"))
                figures.append(figure("stall/1000-streams/at-the-end", "ms", end, 0, quick,
                                      "while the results are reckoned, drawn and kept"))
            if only in "scroll/10000-models":
                frames, times = (60, 1) if quick else (300, 3)
                rounds = [(scrolling(build, env, MODELS, frames), scrolling(build, env, FEW, frames))
                          for _ in range(times)]
                for i, (name, limit) in enumerate((("median", 0), ("p99", 16.7), ("longest", 0))):
                    figures.append(figure("scroll/10000-models/" + name, "ms", [one[0][i] for one in rounds], limit, quick,
                                          "a frame of the model browser that scrolls from its top to its end",
                                          "%d models" % FEW, [one[1][i] for one in rounds]))
        finally:
            screen.stop()
    return figures


def main():
    first_frame.enter(__file__)
    quick = "--quick" in sys.argv
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    figures = measure(os.path.abspath(sys.argv[1]), quick, only)
    for item in figures:
        verdict = "" if item["goal"] is None else ", goal %s: %s" % (
            item["goal"], "not judged" if item["met"] is None else "met" if item["met"] else "NOT MET")
        print("%s %.2f %s (%.2f .. %.2f; %d)%s" % (item["name"], item["median"], item["unit"], item["spread"][0],
                                                   item["spread"][1], len(item["runs"]), verdict))
    folder = os.environ.get("TACHO_BENCH_JSON_DIR")
    if folder:
        with open(os.path.join(folder, "window.json"), "w", encoding="utf-8") as stream:
            json.dump(figures, stream, indent=2)


if __name__ == "__main__":
    main()
