# SPDX-License-Identifier: GPL-3.0-or-later
"""tacho-cli analyze, on simulated servers that are built to show a fault."""

import json
import os
import tempfile

from harness import TINY, Simulator, expect, main, run, test


def findings(url, *arguments, code=0):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "run.json")
        expect(run("bench", "--url", url, "-m", TINY, "--output-tokens", "16", "--out", out, *arguments), code)
        found = expect(run("analyze", out, "--json"), 0).json()
        assert found["schema"] == "tacho.analysis/1"
        text = expect(run("analyze", out), 0).out
        for finding in found["findings"]:
            assert finding["title"] in text and finding["evidence"] and finding["advice"], finding
        # A machine that runs many tests at once may truly have no time left.
        return {x["id"]: x["severity"] for x in found["findings"] if x["id"] != "host-starved"}, text


@test
def a_healthy_server_is_left_alone():
    for seed in range(5):
        found, text = findings("sim:", "-c", "2", "-n", "140", "--seed", str(seed))
        assert all(severity == "info" for severity in found.values()), found
        assert "Nothing was found" in text or "host-starved" in text


@test
def a_full_server_queues_and_its_batch_is_the_limit():
    found, text = findings("sim:", "-c", "24", "--duration", "4")
    assert found.get("queueing") == "notice" and found.get("batching-limit") == "notice", found
    assert "8 ran" in text


@test
def a_limit_of_the_rate_is_named():
    with Simulator("--fault", "status=429:p=0.3") as sim:
        found, _ = findings(sim.url, "-c", "4", "-n", "60")
    assert found.get("rate-limit") == "problem" and "errors" not in found, found


@test
def failures_and_cut_replies_are_told_apart():
    with Simulator("--fault", "status=500:p=0.3", "--fault", "truncate:after=2:p=0.3") as sim:
        found, _ = findings(sim.url, "-c", "4", "-n", "60")
    assert found.get("errors") == "problem" and found.get("truncated") == "problem", found


@test
def a_load_that_cannot_be_sent_is_named():
    found, _ = findings("sim:", "--rate", "100", "-c", "2", "--duration", "3", "--warmup", "0")
    assert found.get("under-delivered") == "warning", found


@test
def a_bench_says_the_headline():
    r = expect(run("bench", "--url", "sim:", "-m", TINY, "--output-tokens", "16", "-c", "24", "--duration", "4"), 0)
    assert "Analysis: " in r.err and "tacho-cli analyze" in r.err, r
    assert "needs one run" in expect(run("analyze"), 2).err


main()
