# SPDX-License-Identifier: GPL-3.0-or-later
"""tacho-cli compare and merge."""

import json
import os
import tempfile

from harness import TINY, Simulator, expect, main, run, test


def measure(url, out, *more):
    return expect(run("bench", "--url", url, "-m", TINY, "-n", "160", "-c", "4", "--output-tokens", "8", "--seed", "3", "--out",
                      out, *more), 0)


@test
def chance_is_no_difference_and_a_slow_server_is_a_regression():
    with tempfile.TemporaryDirectory() as folder:
        before, again, slow = (os.path.join(folder, n + ".json") for n in ("before", "again", "slow"))
        with Simulator("--ttft", "30", "--itl", "3") as sim:
            measure(sim.url, before)
            measure(sim.url, again)
        with Simulator("--ttft", "60", "--itl", "3") as sim:
            measure(sim.url, slow)
        expect(run("compare", before, again, "--fail-on-regression", "25"), 0)
        r = expect(run("compare", before, slow, "--fail-on-regression", "25", "--json"), 4)
        found = r.json()
        assert found["schema"] == "tacho.compare/1" and found["unlike"] == []
        row = next(x for x in found["metrics"] if x["metric"] == "p50(ttft_ms)")
        assert row["regression"] and row["worse"] and row["p_adjusted"] < 0.05 and row["percent_low"] > 0, row
        assert "slower" in row["effect"] and "got worse" in r.err
        words = expect(run("compare", slow, before, "--metric", "ttft", "--fail-on-regression", "5"), 0)
        assert "faster" in words.out and "itl" not in words.out
        # A figure that is worse, but by less than is accepted.
        expect(run("compare", before, slow, "--fail-on-regression", "9000"), 0)


@test
def unlike_plans_are_refused():
    with tempfile.TemporaryDirectory() as folder:
        one, two = os.path.join(folder, "1.json"), os.path.join(folder, "2.json")
        measure("sim:", one)
        measure("sim:", two, "--no-salt")
        r = expect(run("compare", one, two), 2)
        assert "unlike" in r.err and "may repeat" in r.err and r.out == ""
        expect(run("compare", one, two, "--force"), 0)
        assert "no such run" in expect(run("compare", one, "nowhere"), 2).err
        with open(two, "w") as broken:
            broken.write("{}")
        assert two in expect(run("compare", one, two), 2).err
        assert "two runs" in expect(run("compare", one), 2).err


@test
def machines_are_merged_without_loss():
    with tempfile.TemporaryDirectory() as folder:
        parts = [os.path.join(folder, "%d.json" % i) for i in range(2)]
        for i, part in enumerate(parts):
            measure("sim:", part, "--worker", "%d/2" % i)
        assert "no parts of one load" in expect(run("merge", *parts), 2).err  # one after the other
        out = os.path.join(folder, "all.json")
        r = expect(run("merge", *parts, "--force", "--out", out, "--json"), 0)
        runs = [json.load(open(part)) for part in parts]
        merged = json.load(open(out))
        assert merged == r.json() and merged["merged_from"] == [x["id"] for x in runs]
        assert merged["counts"]["ok"] == sum(x["counts"]["ok"] for x in runs) == 160
        assert merged["plan"]["workers"] == 1 and merged["plan"]["concurrency"] == 4
        every = sorted((f - s) / 1e6 for x in runs for f, s, w in zip(*(x["requests"][k] for k in
                       ("first_ns", "start_ns", "warmup"))) if not w)
        ours = merged["latency"]["ttft_ms"]
        assert abs(ours["max"] - every[-1]) < 1e-6 and abs(ours["mean"] - sum(every) / len(every)) < 1e-6
        assert any("sent together" in w for w in merged["self_check"]["warnings"])
        assert "twice" in expect(run("merge", parts[0], parts[0]), 2).err


main()
