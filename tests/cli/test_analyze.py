# SPDX-License-Identifier: GPL-3.0-or-later
"""tacho-cli analyze, on simulated servers that are built to show a fault."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile

from harness import CLI, TINY, Simulator, certificate, environment, expect, main, run, test


def findings(url, *arguments, code=0, starved=False):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "run.json")
        expect(run("bench", "--url", url, "-m", TINY, *([] if "--output-tokens" in arguments else ["--output-tokens", "16"]), "--out", out, *arguments), code)
        found = expect(run("analyze", out, "--json"), 0).json()
        assert found["schema"] == "tacho.analysis/1"
        text = expect(run("analyze", out), 0).out
        for finding in found["findings"]:
            assert finding["title"] in text and finding["evidence"] and finding["advice"], finding
        # A machine that runs many tests at once may truly have no time left.
        with open(out, encoding="utf-8") as file:
            check = json.load(file)["self_check"]
        busy = {"host-starved", "client-bound"} if check["wake_delay_ms_p95"] > 10 else {"host-starved"}
        return {x["id"]: x["severity"] for x in found["findings"] if x["id"] not in busy or starved}, text


@contextlib.contextmanager
def burners(n):
    """Processes that take all the processor time that nobody else wants."""
    processes = [subprocess.Popen(["nice", "-n", "19", sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
            process.wait()


@test
def a_healthy_server_is_left_alone():
    for seed in range(3):
        found, text = findings("sim:", "-c", "2", "-n", "140", "--seed", str(seed))
        assert all(severity == "info" for severity in found.values()), found
        assert "Nothing was found" in text or "host-starved" in text or "client-bound" in text


@test
def a_full_server_queues_and_its_batch_is_the_limit():
    found, text = findings("sim:", "-c", "24", "--duration", "4")
    assert found.get("queueing") == "notice" and found.get("batching-limit") == "notice", found
    assert "8 ran" in text


@test
def a_client_that_is_held_up_is_named():
    with tempfile.TemporaryDirectory() as folder, Simulator() as sim:
        out = os.path.join(folder, "run.json")
        client = subprocess.Popen([CLI, "bench", "--url", sim.url, "-m", TINY, "--output-tokens", "16", "-c", "8",
                                   "--duration", "3", "--warmup", "0", "--out", out], env=environment(),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while client.poll() is None:  # a third of the time it gets no processor
            client.send_signal(signal.SIGSTOP)
            select.select([], [], [], 0.02)
            client.send_signal(signal.SIGCONT)
            select.select([], [], [], 0.04)
        assert client.returncode == 0, client.returncode
        found = {x["id"]: x for x in expect(run("analyze", out, "--json"), 0).json()["findings"]}
    assert found["client-bound"]["severity"] == "problem", found


@test
def a_machine_without_time_left_is_named():
    with Simulator() as sim, burners(os.cpu_count()):
        found, text = findings(sim.url, "-c", "2", "--duration", "4", "--warmup", "0", starved=True)
    assert found.get("host-starved") == "warning" and "cores were busy" in text, found


@test
def connections_that_are_made_anew_are_named():
    with certificate() as (cert, key):
        with Simulator("--tls-cert", cert, "--tls-key", key, "--ttft", "5", "--itl", "1", "--fault", "hangup") as sim:
            found, _ = findings(sim.url, "-c", "1", "-n", "40", "--warmup", "0", "--ca", cert)
    assert found.get("connection-setup") == "notice", found


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


def scenario(folder, **members):
    path = os.path.join(folder, "scenario.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(members, file)
    return path


def with_scenario(*arguments, **members):
    with tempfile.TemporaryDirectory() as folder:
        with Simulator("--scenario", scenario(folder, **members)) as sim:
            return findings(sim.url, *arguments)


@test
def a_server_that_gets_slower_drifts():
    steps = [{"at": 0.3 * i, "do": "speed", "factor": 1 + 0.5 * i} for i in range(1, 24)]
    found, text = with_scenario("-c", "1", "--duration", "5", "--warmup", "0", "--output-tokens", "4",
                                models=[{"id": TINY, "prefill_ms_per_token": 0.05}], timeline=steps)
    assert found.get("drift") == "warning" and "got slower" in text, found


@test
def two_kinds_of_requests_are_seen():
    found, text = with_scenario("-c", "2", "-n", "80", "--warmup", "0", models=[{"id": TINY}],
                                faults=["latency=0.4:p=0.4"])
    assert found.get("bimodal") == "notice" and "two kinds" in text, found


@test
def a_model_that_was_not_loaded_is_a_cold_start():
    found, text = with_scenario("-c", "1", "-n", "30", "--warmup", "0", "--prompt-tokens", "8",
                                models=[{"id": TINY}], faults=["latency=2.5:n=1"])
    assert found.get("cold-start") == "warning" and "not ready" in text, found
    found, _ = with_scenario("-c", "1", "-n", "30", "--warmup", "1", "--prompt-tokens", "8",
                             models=[{"id": TINY}], faults=["latency=2.5:n=1"])
    assert found.get("cold-start") == "info", found


@test
def a_cache_that_is_too_small_preempts():
    found, text = with_scenario("-c", "8", "-n", "40", "--output-tokens", "120", "--prompt-tokens", "32",
                                models=[{"id": TINY, "kv_cache_tokens": 700}], fronts=[{"api": "vllm"}])
    assert found.get("preemption") == "warning" and "preemptions in the run" in text, found


@test
def a_cache_that_is_nearly_full_is_named():
    found, text = with_scenario("-c", "4", "--duration", "4", "--output-tokens", "200", "--prompt-tokens", "32",
                                models=[{"id": TINY, "kv_cache_tokens": 900}], fronts=[{"api": "vllm"}])
    assert "preemption" in found or found.get("kv-cache") == "notice", (found, text)


@test
def reading_and_writing_are_told_apart():
    found, _ = with_scenario("-c", "1", "-n", "20", "--prompt-tokens", "400", "--output-tokens", "4",
                             models=[{"id": TINY, "prefill_ms_per_token": 1}])
    assert found.get("prefill-bound") == "info" and "decode-bound" not in found, found
    found, _ = with_scenario("-c", "1", "-n", "12", "--prompt-tokens", "8", "--output-tokens", "60",
                             models=[{"id": TINY, "prefill_ms_per_token": 0.1, "decode_ms_per_step": 6}])
    assert found.get("decode-bound") == "info" and "prefill-bound" not in found, found


@test
def a_prefix_cache_that_helps_is_named():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "prompts.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            for i in range(20):
                file.write(json.dumps({"prompt": "The same long beginning of every prompt. " * 40 + str(i)}) + "\n")
        found, _ = with_scenario("-c", "1", "--duration", "3", "--no-salt", "--prompts", path,
                                 models=[{"id": TINY}], fronts=[{"api": "vllm"}])
    assert found.get("prefix-cache") == "info", found


@test
def several_tokens_in_a_chunk_are_said():
    found, _ = with_scenario("-c", "2", "-n", "30", models=[{"id": TINY}], faults=["bundle=4"])
    assert found.get("chunks") == "info", found


@test
def a_bench_says_the_headline():
    r = expect(run("bench", "--url", "sim:", "-m", TINY, "--output-tokens", "16", "-c", "24", "--duration", "4"), 0)
    assert "Analysis: " in r.err and "tacho-cli analyze" in r.err, r
    assert "needs one run" in expect(run("analyze"), 2).err


main()
