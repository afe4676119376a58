#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the benchmarks of a build folder one after the other and writes what they found, with the machine
that they ran on, as one JSON file.

run_bench.py BUILD OUT.json [--quick] [NAME...]

A NAME is a benchmark (engine-cost) or one with a part of its figures (engine-cost/capacity).
"""
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile

SKIPPED = 77
SOURCE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = {
    "engine-cost": ["tests/bench/engine-cost"],
    "engine-truth": ["tests/bench/engine-truth"],
    "engine-memory": ["tests/bench/engine-memory"],
    "services": ["tests/bench/services"],
    "protocols": ["tests/bench/protocols"],
    "core": ["tests/bench/core"],
    "chart-paint": ["tests/chart/bench-chart"],
    "first-frame": [os.path.join(SOURCE, "first_frame.py"), "."],
    "window": [os.path.join(SOURCE, "window.py"), "."],
}
MODULES = {"GLib": "glib-2.0", "libsoup": "libsoup-3.0", "json-glib": "json-glib-1.0", "libcurl": "libcurl",
           "SQLite": "sqlite3", "gRPC core": "grpc", "GTK": "gtk4", "libadwaita": "libadwaita-1"}


def first_line(path, start, separator=":"):
    try:
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                if line.startswith(start):
                    return line.split(separator, 1)[1].strip().strip('"')
    except OSError:
        pass
    return None


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def versions():
    found = {name: output_of("pkg-config", "--modversion", module) for name, module in MODULES.items()}
    compiler = output_of(os.environ.get("CC", "cc").split()[-1], "-dumpfullversion")
    found.update({"cc": compiler, "Python": (output_of("/usr/bin/python3", "-V") or "").partition(" ")[2] or None,
                  "aiohttp": output_of("/usr/bin/python3", "-c", "import aiohttp; print(aiohttp.__version__)")})
    return {name: version for name, version in found.items() if version is not None}


def build_type(build):
    options = output_of("meson", "introspect", "--buildoptions", build)
    chosen = {option["name"]: option["value"] for option in json.loads(options)} if options else {}
    return chosen.get("buildtype", "unknown")


def host(build):
    memory = first_line("/proc/meminfo", "MemTotal")
    return {"cpu": first_line("/proc/cpuinfo", "model name") or platform.machine(), "cores": os.cpu_count(),
            "memory_gib": int(memory.split()[0]) / 1024 / 1024 if memory else 0,
            "os": first_line("/etc/os-release", "PRETTY_NAME", "=") or platform.system(),
            "kernel": "%s %s" % (platform.system(), platform.release().partition("-")[0]), "build": build_type(build),
            "versions": versions(), "load_before": os.getloadavg()[0]}


def run_program(build, name, options, folder):
    """The figures of one benchmark, or None if it could not run."""
    command = [os.path.join(build, PROGRAMS[name][0])] + [os.path.join(build, item) for item in PROGRAMS[name][1:]]
    if not os.path.exists(command[0]):
        print("%s: not built here" % name)
        return []
    if command[0].endswith(".py"):
        command.insert(0, sys.executable)
    env = dict(os.environ, TACHO_BENCH_JSON_DIR=folder, GSK_RENDERER="cairo")
    for variable in ("MALLOC_CHECK_", "G_DEBUG"):
        env.pop(variable, None)
    status = subprocess.run(command + options, env=env, check=False).returncode
    if status == SKIPPED:
        return []
    if status != 0:
        print("%s: failed with status %d" % (name, status), file=sys.stderr)
        return None
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as stream:
        return json.load(stream)


def run(build, names, quick):
    report = {"schema": "tacho.bench/1", "date": datetime.date.today().isoformat(), "quick": quick,
              "host": host(build), "figures": []}
    failed = False
    with tempfile.TemporaryDirectory(prefix="tacho-bench-") as folder:
        for name in names or PROGRAMS:
            program, _, part = name.partition("/")
            options = ["--quick"] * quick + (["--only", part] if part else [])
            figures = run_program(build, program, options, folder)
            failed |= figures is None
            report["figures"] += figures or []
    report["host"]["load_after"] = os.getloadavg()[0]
    return report, failed


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--quick"]
    if len(arguments) < 2:
        sys.exit(__doc__.strip())
    build, path, names = os.path.abspath(arguments[0]), arguments[1], arguments[2:]
    for name in names:
        if name.partition("/")[0] not in PROGRAMS:
            sys.exit("There is no benchmark %s; there are: %s" % (name, ", ".join(PROGRAMS)))
    report, failed = run(build, names, "--quick" in sys.argv)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(report, stream, indent=2)
        stream.write("\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
