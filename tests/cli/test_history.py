# SPDX-License-Identifier: GPL-3.0-or-later
"""tacho-cli history, and the formats in which a run can be written."""

import csv
import io
import json
import os
import signal
import statistics
import subprocess
import tempfile
import xml.dom.minidom

from harness import CLI, TINY, environment, expect, main, openai_server, run, streams, test, wait_until


def history(*arguments, code=0, **extra):
    return expect(run("history", *arguments, env=environment(**extra)), code)


@test
def a_run_is_kept_found_shown_and_deleted():
    with tempfile.TemporaryDirectory() as folder:
        env = {"TACHO_HISTORY": os.path.join(folder, "a folder", "h.db")}
        assert "empty" in history(**env).err
        r = expect(run("bench", "--url", "sim:", "-m", TINY, "-n", "8", "--output-tokens", "4", "--json",
                       env=environment(**env)), 0)
        ident = r.json()["id"]
        assert "Kept as %s." % ident in r.err
        listed = history("--json", **env).json()
        assert listed["schema"] == "tacho.history/1" and [x["id"] for x in listed["runs"]] == [ident]
        assert listed["runs"][0]["state"] == "done" and listed["runs"][0]["ok"] == 8
        assert history("show", "last", "--json", **env).json() == r.json()
        history("tag", ident[:-3], "nightly", "gpu", **env)
        history("note", "last", "after the update", **env)
        history("baseline", "last", **env)
        row = history("list", "--search", "NIGHTLY update", "--json", **env).json()["runs"][0]
        assert row["tags"] == "nightly gpu" and row["notes"] == "after the update" and row["baseline"] is True
        assert history("--search", "nothing like it", "--json", **env).json()["runs"] == []
        history("delete", ident, **env)
        assert history("show", "last", code=1, **env).err.endswith("The history is empty\n")
        for words, what in ((["sho"], "Did you mean “show”"), (["show"], "needs the ID"), (["show", "a", "b"], "too many")):
            assert what in history(*words, code=2, **env).err


@test
def runs_of_other_machines_are_imported():
    with tempfile.TemporaryDirectory() as folder:
        there, here = ({"TACHO_HISTORY": os.path.join(folder, name)} for name in ("there.db", "here.db"))
        out = os.path.join(folder, "out.json")
        expect(run("bench", "--url", "sim:", "-m", TINY, "-n", "8", "--output-tokens", "4", "--out", out,
                   env=environment(**there)), 0)
        ident = history("--json", **there).json()["runs"][0]["id"]
        wrong = os.path.join(folder, "wrong.json")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write('{"schema": "tacho.history/1"}')
        # All or nothing where a file is no run.
        assert wrong in history("import", out, wrong, code=2, **here).err
        assert history("--json", **here).json()["runs"] == []
        got = history("import", out, "--json", **here).json()
        assert got["schema"] == "tacho.history/1" and [x["id"] for x in got["runs"]] == [ident], got
        assert history("show", "last", "--json", **here).json() == history("show", "last", "--json", **there).json()
        history("note", "last", "from the other machine", **here)
        assert "already" in history("import", out, code=2, **here).err
        assert history("--json", **here).json()["runs"][0]["notes"] == "from the other machine"
        assert "the file of a run" in history("import", code=2, **here).err


@test
def a_run_that_was_killed_is_listed_with_its_last_figures():
    with tempfile.TemporaryDirectory() as folder:
        env = {"TACHO_HISTORY": os.path.join(folder, "h.db")}
        p = subprocess.Popen([CLI, "bench", "--url", "sim:", "-m", TINY, "--duration", "60", "--warmup", "0"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(**env))
        try:
            wait_until(lambda: os.path.exists(env["TACHO_HISTORY"]) and
                       any(x["ok"] > 0 for x in history("--json", **env).json()["runs"]), "figures")
            assert history("--json", **env).json()["runs"][0]["state"] == "running"
        finally:
            p.send_signal(signal.SIGKILL)
            p.wait()
        row = history("--json", **env).json()["runs"][0]
        assert row["state"] == "interrupted" and row["ok"] > 0 and row["output_tokens_per_s"] > 0, row
        assert "did not end" in history("show", "last", **env).out


@test
def a_history_that_cannot_be_used_stops_no_run():
    r = expect(run("bench", "--url", "sim:", "-m", TINY, "-n", "4", "--output-tokens", "4", "--json",
                   env=environment(TACHO_HISTORY="/proc/nowhere/h.db")), 0)
    assert "not kept" in r.err and r.json()["counts"]["ok"] == 4
    r = expect(run("bench", "--url", "sim:", "-m", TINY, "-n", "4", "--output-tokens", "4", "--no-history",
                   env=environment(TACHO_HISTORY="/proc/nowhere/h.db")), 0)
    assert "history" not in r.err and "Kept" not in r.err


@test
def a_full_disk_loses_no_run():
    with tempfile.TemporaryDirectory() as folder:
        env = {"TACHO_HISTORY": os.path.join(folder, "h.db")}
        with open("/dev/full", "wb") as full:
            p = subprocess.run([CLI, "bench", "--url", "sim:", "-m", TINY, "-n", "4", "--output-tokens", "4"], stdout=full,
                               stderr=subprocess.PIPE, env=environment(**env), timeout=60)
        assert p.returncode == 1 and b"Kept as" in p.stderr, p
        assert history("--json", **env).json()["runs"][0]["ok"] == 4


def exported(ident, name):
    return history("export", ident, "--format", name).out


@test
def every_format_says_the_same():
    r = expect(run("bench", "--url", "sim:", "-m", TINY, "-n", "40", "-c", "4", "--output-tokens", "8", "--slo", "ttft<5s",
                   "--json"), 0)
    ours = r.json()
    ttft = [(first - start) / 1e6 for first, start, warm in zip(*(ours["requests"][k] for k in
            ("first_ns", "start_ns", "warmup"))) if not warm]
    vllm = json.loads(exported(ours["id"], "vllm"))
    assert vllm["completed"] == 40 and vllm["failed"] == 0 and vllm["total_output_tokens"] == 320
    assert abs(vllm["mean_ttft_ms"] - statistics.fmean(ttft)) < 1e-6
    assert abs(vllm["median_ttft_ms"] - statistics.median(ttft)) < 1e-6
    assert abs(vllm["std_ttft_ms"] - statistics.pstdev(ttft)) < 1e-6
    assert abs(vllm["p99_ttft_ms"] - statistics.quantiles(ttft, n=100, method="inclusive")[98]) < 1e-6
    assert abs(sum(vllm["ttfts"]) * 1000 - sum(ttft)) < 1e-6 and vllm["max_concurrency"] == 4
    assert vllm["output_throughput"] == ours["throughput"]["output_tokens_per_s"] and vllm["max_concurrent_requests"] <= 4
    aiperf = json.loads(exported(ours["id"], "aiperf"))
    assert abs(aiperf["time_to_first_token"]["avg"] - statistics.fmean(ttft)) < 1e-6
    assert aiperf["time_to_first_token"]["count"] == 40 and aiperf["request_count"]["avg"] == 40
    assert abs(aiperf["inter_token_latency"]["avg"] - ours["latency"]["tpot_ms"]["mean"]) < 1e-9
    assert aiperf["output_sequence_length"]["sum"] == 320 and aiperf["was_cancelled"] is False
    rows = list(csv.DictReader(io.StringIO(exported(ours["id"], "csv"))))
    mean = next(float(row["mean"]) for row in rows if row["metric"] == "ttft_ms")
    assert abs(mean - statistics.fmean(ttft)) < 0.01
    markdown = exported(ours["id"], "markdown")
    assert "Simulated server" in markdown and "| `ttft_ms` | 40 |" in markdown
    page = exported(ours["id"], "html")
    xml.dom.minidom.parseString(page.split("\n", 1)[1])
    assert "default-src 'none'" in page and "http://" not in page.replace("http://127", "") and "<script" not in page
    assert json.loads(exported(ours["id"], "tacho")) == ours


@test
def a_hostile_name_is_text_in_every_report():
    name = "<script>alert(1)</script>|`x`"
    with openai_server(streams(["a", "b"]), models=(name,)) as url:
        r = expect(run("bench", "--url", url, "--api", "openai", "-m", name, "-n", "3", "--warmup", "0", "--json"), 0)
    ident = r.json()["id"]
    page = exported(ident, "html")
    xml.dom.minidom.parseString(page.split("\n", 1)[1])
    assert "<script" not in page and "&lt;script&gt;" in page
    markdown = exported(ident, "markdown")
    assert "<script" not in markdown and "\\|\\`x\\`" in markdown


@test
def a_format_goes_to_the_standard_output_or_to_the_file():
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "r.html")
        expect(run("bench", "--url", "sim:", "-m", TINY, "-n", "4", "--output-tokens", "4", "--format", "html", "--out", out), 0)
        assert open(out, encoding="utf-8").read().startswith("<!DOCTYPE html>")
    r = expect(run("bench", "--url", "sim:", "-m", TINY, "-n", "4", "--output-tokens", "4", "--format", "markdown"), 0)
    assert r.out.startswith("## Benchmark of ")


main()
