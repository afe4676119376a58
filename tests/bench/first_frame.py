#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes from the start of the program to its first pixels on the screen: Tacho, the
smallest libadwaita window, and GNOME Text Editor where it is installed. The screen is Xvfb's, whose
memory is a file that can be looked at, so no toolkit has to tell.

first_frame.py BUILD [--quick] [--only TEXT]
"""
import json
import mmap
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
LIMIT_S = 30
WIDTH, HEIGHT = 1366, 768
INSIDE = "TACHO_BENCH_INSIDE"


def enter(script=__file__):
    """The script once more, on a session bus of its own."""
    if os.environ.get(INSIDE):
        return
    for tool in ("Xvfb", "dbus-run-session"):
        if shutil.which(tool) is None:
            print("%s: skipped, %s is not installed" % (os.path.basename(script), tool))
            sys.exit(SKIPPED)
    os.environ[INSIDE] = "1"
    os.execvp("dbus-run-session", ["dbus-run-session", "--", sys.executable, os.path.abspath(script)] + sys.argv[1:])


class Screen:
    def __init__(self, folder):
        self.folder = folder
        read_end, write_end = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "%dx%dx24" % (WIDTH, HEIGHT), "-fbdir", folder,
             "-noreset", "-nolisten", "tcp"], pass_fds=[write_end], stderr=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as stream:
            self.display = ":" + stream.readline().strip()
        with open(os.path.join(folder, "Xvfb_screen0"), "rb") as stream:
            self.memory = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        # A band in the middle of every window: the header of the file and the first rows are not looked at.
        row = WIDTH * 4
        self.first, self.last = len(self.memory) - row * (HEIGHT - 100), len(self.memory) - row * (HEIGHT - 160)
        self.empty = self.memory[self.first:self.last]

    def is_empty(self):
        return self.memory[self.first:self.last] == self.empty

    def wait(self, empty, process=None):
        limit = time.monotonic() + LIMIT_S
        while self.is_empty() != empty:
            if time.monotonic() > limit or (process is not None and process.poll() is not None):
                return False
            time.sleep(0.001)
        return True

    def stop(self):
        self.server.terminate()
        self.server.wait()


def environment(screen, build):
    env = dict(os.environ)
    for name in ("WAYLAND_DISPLAY", "G_DEBUG", "MALLOC_CHECK_"):
        env.pop(name, None)
    env.update(DISPLAY=screen.display, GDK_BACKEND="x11", GSK_RENDERER="cairo", GTK_A11Y="none", GTK_USE_PORTAL="0",
               GSETTINGS_BACKEND="memory", NO_AT_BRIDGE="1", HOME=screen.folder, LANG="C.UTF-8",
               TACHO_HISTORY=os.path.join(screen.folder, "history.db"))
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        env["XDG_%s_HOME" % name] = os.path.join(screen.folder, name.lower())
    return env


def first_frame_ms(screen, command, env):
    begin = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shown = screen.wait(False, process)
    elapsed = (time.monotonic() - begin) * 1000
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if not shown:
        raise RuntimeError("%s showed no window" % command[0])
    if not screen.wait(True):
        raise RuntimeError("the window of %s did not go" % command[0])
    return elapsed


def rounds_of(values):
    return {"median": statistics.median(values), "spread": [min(values), max(values)], "runs": values}


def figure(name, values, reference_name, reference, goal, quick):
    ratio = statistics.median(a / b for a, b in zip(values, reference))
    return dict({"name": "first-frame/" + name, "unit": "ms"}, **rounds_of(values),
                reference=dict({"name": reference_name}, **rounds_of(reference)), ratio=ratio,
                goal=None if goal is None else "ratio <= %g" % goal,
                met=None if goal is None or quick else ratio <= goal, quick=quick,
                note="from the start of the program to its first pixels, drawn in software")


def measure(build, quick):
    programs = {"tacho": [os.path.join(build, "src", "app", "tacho")],
                "bare": [os.path.join(build, "tests", "bench", "bare-window")]}
    editor = shutil.which("gnome-text-editor")
    if editor is not None:
        programs["editor"] = [editor, "--standalone"]
    times = {name: [] for name in programs}
    with tempfile.TemporaryDirectory(prefix="tacho-bench-") as folder:
        screen = Screen(folder)
        try:
            for number in range(2 if quick else 9):
                for name, command in programs.items():
                    env = environment(screen, build)
                    if name == "tacho":
                        env["GSETTINGS_SCHEMA_DIR"] = os.path.join(build, "data")
                    elapsed = first_frame_ms(screen, command, env)
                    if number > 0:  # the first reads the program from the disk
                        times[name].append(elapsed)
        finally:
            screen.stop()
    figures = [figure("window", times["tacho"], "an empty libadwaita window", times["bare"], None, quick)]
    if editor is not None:
        figures.append(figure("window/editor", times["tacho"], "GNOME Text Editor", times["editor"], 1, quick))
    return figures


def main():
    enter()
    quick = "--quick" in sys.argv
    figures = measure(os.path.abspath(sys.argv[1]), quick)
    for item in figures:
        verdict = "not judged" if item["met"] is None else "met" if item["met"] else "NOT MET"
        print("%s %.0f ms (%.0f .. %.0f; %d), %.2f of %s (%.0f)%s"
              % (item["name"], item["median"], item["spread"][0], item["spread"][1], len(item["runs"]), item["ratio"],
                 item["reference"]["name"], item["reference"]["median"],
                 "" if item["goal"] is None else ", goal %s: %s" % (item["goal"], verdict)))
    folder = os.environ.get("TACHO_BENCH_JSON_DIR")
    if folder:
        with open(os.path.join(folder, "first-frame.json"), "w", encoding="utf-8") as stream:
            json.dump(figures, stream, indent=2)


if __name__ == "__main__":
    main()
