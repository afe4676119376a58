# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of load, prompts and ends of tacho-cli bench, and tacho-cli sweep."""

import json
import os
import select
import signal
import subprocess
import tempfile

from harness import CLI, Simulator, environment, expect, main, run, test

TINY = "sim-tiny-1b-q8_0"


def bench(*arguments, code=0):
    return expect(run("bench", "--url", "sim:", "-m", TINY, "--output-tokens", "8", "--json", *arguments), code).json()


@test
def an_open_loop_sends_on_schedule_whatever_the_replies_do():
    run_ = bench("--rate", "40", "--arrival", "constant", "--duration", "2", "--warmup", "0.5s")
    assert run_["plan"]["load"] == "constant" and run_["plan"]["rate"] == 40
    assert run_["counts"]["ok"] == 80 and run_["counts"]["warmup"] == 20, run_["counts"]
    starts = [n for n, w in zip(run_["requests"]["scheduled_ns"], run_["requests"]["warmup"]) if not w]
    gaps = [b - a for a, b in zip(starts, starts[1:])]
    assert all(abs(gap - 25_000_000) <= 2 for gap in gaps), gaps
    # From the schedule nothing is left out: never less than from the start.
    assert run_["latency"]["ttft_from_schedule_ms"]["mean"] >= run_["latency"]["ttft_ms"]["mean"]
    assert abs(run_["window_s"] - 2) < 1e-6


@test
def an_overloaded_server_has_the_throughput_that_it_has():
    run_ = bench("--rate", "150", "--duration", "2", "--warmup", "1s")
    # What was due in the warm-up fills the window: the server did that work in it.
    assert run_["throughput"]["requests_per_s"] > 20, run_["throughput"]
    assert run_["latency"]["ttft_ms"]["p50"]["value"] > 500 and run_["throughput"]["output_tokens_per_s"] > 160


@test
def the_same_seed_gives_the_same_arrivals():
    def schedule(seed):
        run_ = bench("--rate", "200", "-n", "20", "--warmup", "0", "--seed", seed)
        first = run_["requests"]["scheduled_ns"][0]
        return [n - first for n in run_["requests"]["scheduled_ns"]]
    assert schedule("5") == schedule("5") != schedule("6")


@test
def a_trace_is_replayed_at_its_stamps():
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as trace:
        for stamp in (0, 100, 100, 400):
            trace.write(json.dumps({"timestamp": stamp, "input_length": 12, "output_length": 4}) + "\n")
        trace.flush()
        run_ = expect(run("bench", "--url", "sim:", "-m", TINY, "--json", "--prompts", trace.name, "--replay",
                          "--warmup", "0"), 0).json()
    scheduled = run_["requests"]["scheduled_ns"]
    assert [round((n - scheduled[0]) / 1e6) for n in scheduled] == [0, 100, 100, 400], scheduled
    assert run_["requests"]["output_tokens"] == [4, 4, 4, 4] and run_["stop_reason"] == "planned"


@test
def a_conversation_grows_turn_by_turn():
    run_ = bench("-c", "2", "-n", "12", "--warmup", "0", "--turns", "3", "--prompt-tokens", "20", "--think", "0.05")
    by_turn = {}
    for turn, tokens in zip(run_["requests"]["turn"], run_["requests"]["prompt_tokens"]):
        by_turn.setdefault(turn, []).append(tokens)
    assert set(by_turn) == {0, 1, 2} and max(by_turn[0]) < min(by_turn[1]) <= max(by_turn[1]) < min(by_turn[2]), by_turn


@test
def deliberate_cancellations_are_counted_and_in_no_latency():
    run_ = bench("-c", "4", "-n", "60", "--cancel", "40%@0.03", "--output-tokens", "64")
    counts = run_["counts"]
    assert counts["ok"] + counts["cancelled"] == 60 and 12 <= counts["cancelled"] <= 36, counts
    assert run_["latency"]["ttft_ms"]["n"] == counts["ok"] and run_["errors"] == {"cancelled": counts["cancelled"]}


@test
def a_run_ends_when_enough_is_known_or_too_much_failed():
    run_ = bench("-c", "8", "--until", "mean(e2e_ms)±20%")
    assert run_["stop_reason"] == "until" and not run_["interrupted"] and run_["counts"]["ok"] >= 30
    with Simulator("--fault", "status=500") as sim:
        r = run("bench", "--url", sim.url, "-m", TINY, "--json", "--warmup", "0", "--max-errors", "5", "-n", "500")
    assert r.code == 1 and r.json()["stop_reason"] == "error-budget" and r.json()["counts"]["error"] < 50, r


@test
def machines_share_a_load_without_overlap():
    ids = [set(bench("--rate", "100", "-n", "31", "--warmup", "4", "--worker", "%d/3" % i)["requests"]["id"])
           for i in range(3)]
    assert set().union(*ids) == set(range(35)) and sum(map(len, ids)) == 35, ids


@test
def threads_share_a_load_without_loss():
    run_ = bench("-c", "9", "-n", "50", "--threads", "3")
    assert run_["counts"]["ok"] == 50 and sorted(run_["requests"]["id"]) == list(range(52))
    assert set(run_["requests"]["thread"]) == {0, 1, 2}


def measure_for(seconds):
    """How long the client stands still is what is tested."""
    select.select([], [], [], seconds)


@test
def what_a_stopped_client_missed_does_not_count():
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "run.json")
        p = subprocess.Popen([CLI, "bench", "--url", "sim:slow", "-m", TINY, "--duration", "4", "--warmup", "0", "-c", "2",
                              "--out", out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), text=True)
        assert "Benchmark of" in p.stderr.readline()
        measure_for(1)
        p.send_signal(signal.SIGSTOP)
        measure_for(1.4)
        p.send_signal(signal.SIGCONT)
        p.stderr.read()
        assert p.wait(60) == 0
        run_ = json.load(open(out))
    assert run_["excluded"]["voided"] >= 1 and len(run_["voids"]) == 1, (run_["excluded"], run_["voids"])
    assert run_["voids"][0]["to_s"] - run_["voids"][0]["from_s"] > 1
    voided = sum(run_["requests"]["voided"])
    assert voided == run_["excluded"]["voided"] and any("stood still" in w for w in run_["self_check"]["warnings"])


@test
def grpc_is_measured_with_the_same_figures():
    with Simulator("--api", "oip", "--grpc-port", "0") as sim:
        target = next(front["url"] for front in sim.hello["fronts"] if front["url"].startswith("grpc://"))[7:]
        run_ = expect(run("bench", "--grpc", target, "--protocol", "grpc", "-m", TINY, "-n", "24", "--json",
                          "--output-tokens", "8"), 0).json()
    assert run_["target"]["protocol"] == "grpc" and run_["counts"]["ok"] == 24
    assert run_["throughput"]["output_tokens"] == 24 * 8 and run_["latency"]["ttft_ms"]["min"] > 0


@test
def a_sweep_finds_the_knee_and_the_best_load():
    r = expect(run("sweep", "--url", "sim:", "-m", TINY, "--concurrency", "1,2,4,8,16,32", "--duration", "0.8", "--warmup",
                   "0.2s", "--output-tokens", "16", "--slo", "ttft<150ms", "--json"), 0)
    sweep = r.json()
    assert sweep["schema"] == "tacho.sweep/1" and sweep["by"] == "concurrency"
    loads = [point["load"] for point in sweep["points"]]
    assert loads == sorted(loads) and len(sweep["runs"]) == len(loads) and loads[0] == 1
    # Eight slots: more load than that only waits.
    assert 4 <= sweep["knee"] <= 16 and 2 <= sweep["best"] < 32, sweep["points"]
    best = next(point for point in sweep["points"] if point["load"] == sweep["best"])
    assert best["slo_attainment"] >= 0.95 and best["goodput_per_s"] > 0


@test
def a_sweep_writes_the_records_of_all_its_steps():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "records.jsonl")
        sweep = expect(run("sweep", "--url", "sim:", "-m", TINY, "--concurrency", "1,3", "-n", "6", "--warmup", "0",
                           "--output-tokens", "4", "--records", path, "--json"), 0).json()
        with open(path, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        assert {record["load"] for record in records} == {point["load"] for point in sweep["points"]}
        assert all(len(record["chunk_ns"]) == record["chunks"] > 0 for record in records)
        assert sum(record["status"] == "ok" for record in records) == sum(
            a_run["counts"]["ok"] for a_run in sweep["runs"])
        expect(run("sweep", "--url", "sim:", "--concurrency", "1,2", "--out", path, "--records", path), 2)


@test
def a_sweep_that_is_interrupted_reports_what_it_has():
    p = subprocess.Popen([CLI, "sweep", "--url", "sim:", "-m", TINY, "--rate", "5,10,20,40", "--duration", "30"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), text=True)
    assert "Benchmark of" in p.stderr.readline()
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 130 and "load" in out and "Stopping" in err, (p.returncode, out, err)


main()
