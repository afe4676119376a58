# SPDX-License-Identifier: GPL-3.0-or-later
"""bench: the contract's documents, counts that agree with the server's, exit statuses."""
import csv
import json
import os
import signal
import subprocess
import tempfile

from harness import (CLI, LIMIT_S, Simulator, TINY, environment, expect, forgetful_server, main, openai_server, run,
                     run_on_terminal, streams, test)

RECORD = {"id", "response_id", "model", "scheduled_ns", "start_ns", "first_ns", "last_ns", "end_ns", "chunk_ns", "chunks",
          "prompt_tokens", "output_tokens", "tokens_source", "status", "error", "http_status", "protocol", "connection",
          "warmup"}
RUN = {"schema", "id", "started", "target", "plan", "window_s", "counts", "errors", "throughput", "latency", "timeline",
       "self_check", "host"}
METRICS = {"ttft_ms", "e2e_ms", "queue_ms", "itl_ms", "tpot_ms", "ntpot_ms", "chunk_gap_ms"}
SMALL = ["-m", TINY, "--prompt-tokens", 8, "--output-tokens", 8]


@test
def the_json_and_the_records_are_the_contracts_and_agree_with_the_server():
    with tempfile.TemporaryDirectory() as folder, Simulator("--ttft", 2, "--itl", 1) as sim:
        out, records = os.path.join(folder, "run.json"), os.path.join(folder, "records.jsonl")
        r = expect(run("bench", "--url", sim.url, *SMALL, "--concurrency", 4, "--requests", 40, "--warmup", 4, "--json",
                       "--out", out, "--records", records, "--slo", "ttft<10s"), 0)
        document = r.json()
        with open(out, encoding="utf-8") as f:
            assert json.load(f) == document
        with open(records, encoding="utf-8") as f:
            rows = [json.loads(line) for line in f]
        counters = sim.stop()
    assert RUN <= set(document) and document["schema"] == "tacho.run/1", RUN - set(document)
    assert document["target"]["simulated"] is True
    assert document["counts"] == {"ok": 40, "error": 0, "truncated": 0, "cancelled": 0, "warmup": 4}
    assert set(document["latency"]) >= METRICS
    ttft = document["latency"]["ttft_ms"]
    assert {"n", "mean", "sd", "min", "max", "p50", "p75", "p90", "p95", "p99", "p99.9"} <= set(ttft)
    assert set(ttft["p50"]) == {"value", "low", "high", "enough"} and ttft["n"] == 40
    assert 2 <= ttft["min"] <= ttft["p50"]["value"] <= ttft["max"]
    assert document["throughput"]["output_tokens_per_s"] > 0 and document["window_s"] > 0
    assert len(rows) == 44 and all(set(row) == RECORD for row in rows), set(rows[0]) ^ RECORD
    assert sum(row["warmup"] for row in rows) == 4
    assert sum(row["output_tokens"] for row in rows) == counters["output tokens"] == 44 * 8, counters
    assert sum(row["prompt_tokens"] for row in rows) == counters["prompt tokens"], counters
    assert counters["generations"] == counters["completed"] == 44 and counters["aborted"] == 0
    for row in rows:
        assert row["start_ns"] <= row["first_ns"] <= row["last_ns"] <= row["end_ns"], row
        assert len(row["chunk_ns"]) == row["chunks"] and row["chunk_ns"] == sorted(row["chunk_ns"])
        assert row["chunk_ns"][0] == row["first_ns"] and row["chunk_ns"][-1] == row["last_ns"]
        assert (row["status"], row["http_status"], row["tokens_source"], row["model"]) == ("ok", 200, "usage", TINY)
        assert row["error"] is None and row["connection"] in ("new", "reused")


@test
def the_table_says_simulated_and_a_pipe_has_no_escapes():
    r = expect(run("bench", "--url", "sim:fast", *SMALL, "--requests", 12), 0)
    assert "ttft_ms" in r.out.lower() or "ttft" in r.out.lower(), r
    assert "simulated" in r.out.lower() and "simulated" in r.err, r
    assert "\033" not in r.out + r.err and "\r" not in r.out + r.err


@test
def a_terminal_gets_a_live_line():
    code, out = run_on_terminal("bench", "--url", "sim:", *SMALL[:2], "--output-tokens", 32, "--requests", 40)
    assert code == 0 and b"\r\033[K" in out and b"measuring" in out and b"in flight" in out, out
    # A dashboard: a chart of the throughput, and percentiles of TTFT and gaps, each look over the last.
    text = out.decode()
    assert "\033[A" in text and any(bar in text for bar in "▃▄▅▆▇█") and "TTFT p50" in text and "gap p50" in text


@test
def csv_goes_to_stdout_or_to_the_file():
    r = expect(run("bench", "--url", "sim:fast", *SMALL, "--requests", 12, "--format", "csv"), 0)
    rows = list(csv.reader(r.out.splitlines()))
    assert len({len(row) for row in rows}) == 1 and any("ttft_ms" in row for row in rows), r
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.csv")
        r = expect(run("bench", "--url", "sim:fast", *SMALL, "--requests", 12, "--format", "csv", "--json", "--out", path), 0)
        assert r.json()["schema"] == "tacho.run/1"
        with open(path, encoding="utf-8") as f:
            assert "ttft_ms" in f.read()
    expect(run("bench", "--url", "sim:fast", *SMALL, "--format", "csv", "--json"), 2)


@test
def assertions_are_exit_4_when_one_does_not_hold():
    bench = ["bench", "--url", "sim:fast", *SMALL, "--requests", 12]
    r = expect(run(*bench, "--fail-on", "p99(ttft_ms)<60000", "--fail-on", "error_rate == 0"), 0)
    assert r.err.count(" holds: ") == 2, r
    r = expect(run(*bench, "--fail-on", "error_rate==0", "--fail-on", "mean(e2e_ms)<0.001ms"), 4)
    assert "does not hold" in r.err and "ttft" in r.out.lower(), r
    r = expect(run(*bench, "--fail-on", "goodput_per_s>1"), 4)
    assert "nothing was measured" in r.err, r


@test
def a_run_by_seconds_ends_by_itself():
    got = expect(run("bench", "--url", "sim:fast", *SMALL, "--duration", "0.5", "--warmup", "0.2s", "--json"), 0).json()
    assert got["counts"]["ok"] > 1 and got["counts"]["warmup"] > 0 and 0.4 <= got["window_s"] < 5, got["counts"]


@test
def when_every_request_fails_it_is_exit_1_with_the_classes():
    with Simulator("--fault", "status=503") as sim:
        r = expect(run("bench", "--url", sim.url, *SMALL, "--requests", 8, "--warmup", 0, "--json"), 1)
    assert "http_5xx 8" in r.err, r
    assert r.json()["errors"]["http_5xx"] == 8 and r.json()["counts"]["error"] == 8 and r.json()["counts"]["ok"] == 0
    with Simulator("--fault", "truncate:after=2:n=1-4") as sim:
        got = expect(run("bench", "--url", sim.url, *SMALL, "--requests", 12, "--warmup", 0, "--json"), 0).json()
    assert got["counts"]["truncated"] == 4 and got["counts"]["ok"] == 8 and got["latency"]["e2e_ms"]["n"] == 8


@test
def a_model_that_is_not_loaded_is_loaded_first():
    with Simulator() as sim:
        expect(run("models", "unload", TINY, "--url", sim.url), 0)
        r = expect(run("bench", "--url", sim.url, *SMALL, "--requests", 4, "--warmup", 0), 0)
        assert "loading it first" in r.err, r


@test
def an_interrupt_reports_what_was_measured():
    with Simulator("--ttft", 5, "--itl", 5) as sim:
        p = subprocess.Popen([CLI, "bench", "--url", sim.url, *map(str, SMALL), "--concurrency", "2", "--duration", "600",
                              "--warmup", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        seen = p.stderr.readline() + p.stderr.readline()  # the head, and the first plain line of progress
        assert b"measuring" in seen, seen
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=LIMIT_S)
    assert p.returncode == 130 and b"interrupted" in err, (p.returncode, err)
    got = json.loads(out)
    assert got["counts"]["ok"] > 0 and got["counts"]["error"] == 0 and got["window_s"] > 0, got["counts"]


@test
def no_usage_is_labelled_and_the_key_is_never_shown():
    key = "sk-planted-4713"
    env = environment(TACHO_TEST_KEY=key)
    seen = []
    with tempfile.TemporaryDirectory() as folder, openai_server(streams(["a", "b", "c"]), seen=seen) as url:
        files = [os.path.join(folder, name) for name in ("run.json", "records.jsonl")]
        r = expect(run("bench", "--url", url, "--requests", 4, "--warmup", 0, "--api-key-env", "TACHO_TEST_KEY",
                       "--out", files[0], "--records", files[1], env=env), 0)
        texts = [r.out, r.err]
        for path in files:
            with open(path, encoding="utf-8") as f:
                texts.append(f.read())
    assert any(h.get("Authorization") == "Bearer " + key for _, h in seen)
    assert not any(key in text for text in texts)
    rows = [json.loads(line) for line in texts[3].splitlines()]
    assert {row["tokens_source"] for row in rows} == {"chunks"} and {row["output_tokens"] for row in rows} == {3}, rows


@test
def connections_that_are_closed_without_a_word_are_no_errors():
    with forgetful_server(streams(["a", "b"])) as url:
        got = expect(run("bench", "--url", url, "--concurrency", 1, "--requests", 30, "--warmup", 0, "--json"), 0).json()
    assert got["counts"]["ok"] == 30 and got["counts"]["error"] == 0, (got["counts"], got["errors"])


main()
