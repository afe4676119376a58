# SPDX-License-Identifier: GPL-3.0-or-later
"""Interop with a real llama-server, one-model and router mode. Skips, with the reason, where none can be installed.

TACHO_PEERS_DIR names the tree that the server is in, or is installed into; default build/peers/forky."""
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))

from harness import LIMIT_S, expect, main, run, test, wait_until  # noqa: E402

ROOT = os.environ.get("TACHO_PEERS_DIR") or os.path.join(os.environ["TACHO_BUILD_ROOT"], "peers", "forky")
SCRIPT = os.path.join(HERE, "llama-server.sh")
REQUESTS, CONCURRENCY, TOKENS = 200, 4, 16


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class LlamaServer:
    def __init__(self, *arguments):
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.log = open(os.path.join(os.environ["TACHO_BUILD_ROOT"], "llama-server-%d.log" % self.port), "w+b")
        self.process = subprocess.Popen(
            [SCRIPT, ROOT, *arguments, "--host", "127.0.0.1", "--port", str(self.port), "-np", "4", "--metrics", "--props"],
            stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=LIMIT_S) as reply:
            return reply.read().decode()

    def healthy(self):
        assert self.process.poll() is None, "llama-server ended: " + self.tail()
        try:
            return "ok" in self.get("/health")
        except (urllib.error.URLError, ConnectionError):
            return False

    def predicted(self, query=""):
        """Output tokens that the server has counted since its start."""
        return int(float(re.search(r"^llamacpp:tokens_predicted_total (\S+)", self.get("/metrics" + query), re.M).group(1)))

    def tail(self):
        self.log.seek(0)
        return self.log.read()[-2000:].decode("utf-8", "replace")

    def __enter__(self):
        try:
            wait_until(self.healthy, "llama-server")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        try:
            self.process.wait(LIMIT_S)
        finally:
            self.log.close()
            os.unlink(self.log.name)
        end = time.monotonic() + LIMIT_S
        while True:  # nobody listens any more: it has really ended
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) != 0:
                    return
            assert time.monotonic() < end, "llama-server is still there"


def check_prompt(server, model):
    before = server.predicted(query_of(server, model))
    got = expect(run("prompt", "--url", server.url, "-m", model, "--max-tokens", TOKENS, "--json", "hello there"), 0).json()
    assert got["status"] == "done" and got["text"] and got["tokens_source"] == "usage", got
    assert got["output_tokens"] == TOKENS and got["prompt_tokens"] > 0 and got["chunks"] > 1, got
    assert got["simulated"] is False and got["timings"]["predicted_n"] == TOKENS, got
    assert 0 < got["ttft_ms"] < got["e2e_ms"], got
    assert server.predicted(query_of(server, model)) - before == TOKENS
    whole = expect(run("prompt", "--url", server.url, "-m", model, "--max-tokens", TOKENS, "--no-stream", "--json",
                       "hello there"), 0).json()
    assert whole["output_tokens"] == TOKENS and whole["text"], whole
    text = expect(run("prompt", "--url", server.url, "-m", model, "--max-tokens", TOKENS, "--stats", "hello there"), 0)
    assert text.out.endswith("\n") and "counted by the server" in text.err and "simulated" not in text.err, text


def check_bench(server, model):
    before = server.predicted(query_of(server, model))
    records = os.path.join(os.environ["TACHO_BUILD_ROOT"], "llama-records-%d.jsonl" % server.port)
    try:
        got = expect(run("bench", "--url", server.url, "-m", model, "--concurrency", CONCURRENCY, "--requests", REQUESTS,
                         "--warmup", 0, "--prompt-tokens", 16, "--output-tokens", TOKENS, "--records", records,
                         "--fail-on", "error_rate==0", "--json"), 0).json()
        with open(records, encoding="utf-8") as f:
            rows = [json.loads(line) for line in f]
    finally:
        if os.path.exists(records):
            os.unlink(records)
    counted = server.predicted(query_of(server, model)) - before
    assert got["counts"] == {"ok": REQUESTS, "error": 0, "truncated": 0, "cancelled": 0, "warmup": 0}, got["counts"]
    assert not any(got["errors"].values()), got["errors"]
    assert got["target"]["simulated"] is False, got["target"]
    assert len(rows) == REQUESTS and {r["tokens_source"] for r in rows} == {"usage"}
    assert sum(r["output_tokens"] for r in rows) == counted == REQUESTS * TOKENS, (counted, rows[:2])
    assert got["latency"]["ttft_ms"]["n"] == REQUESTS
    assert len({r["response_id"] for r in rows}) == REQUESTS


def query_of(server, model):
    return "?model=" + model if server.router else ""


def status_of(server, model):
    return expect(run("models", "show", model, "--json", "--url", server.url), 0).json()["status"]


@test
def one_model():
    with LlamaServer("-m", "/models/tiny-a.gguf") as server:
        server.router = False
        probe = expect(run("probe", "--url", server.url, "--json"), 0).json()
        assert probe["api"] == "llamacpp" and probe["health"] == "ok" and probe["simulated"] is False, probe
        models = expect(run("models", "--url", server.url, "--json"), 0).json()
        assert len(models) == 1 and models[0]["context_window"] > 0 and models[0]["parameters"] > 0, models
        assert models[0]["size_bytes"] > 0 and models[0]["status"] in ("loaded", "unknown"), models
        check_prompt(server, models[0]["id"])
        check_bench(server, models[0]["id"])
        r = expect(run("models", "unload", models[0]["id"], "--url", server.url), 1)
        assert r.out == "" and r.err, r


@test
def router():
    with LlamaServer("--models-dir", "/models") as server:
        server.router = True
        probe = expect(run("probe", "--url", server.url, "--json"), 0).json()
        assert probe["api"] == "llamacpp" and "router" in probe["description"], probe
        models = expect(run("models", "--url", server.url, "--json"), 0).json()
        assert {m["id"] for m in models} >= {"tiny-a", "tiny-b"} and {m["status"] for m in models} == {"unloaded"}, models
        expect(run("models", "load", "tiny-a", "--url", server.url), 0)
        assert status_of(server, "tiny-a") == "loaded" and status_of(server, "tiny-b") == "unloaded"
        r = expect(run("models", "load", "tiny-c", "--url", server.url), 1)
        assert "tiny-a" in r.err, r
        check_prompt(server, "tiny-a")
        check_bench(server, "tiny-a")
        expect(run("models", "unload", "tiny-a", "--url", server.url), 0)
        assert status_of(server, "tiny-a") == "unloaded"
        r = expect(run("prompt", "--url", server.url, "-m", "tiny-b", "--max-tokens", 4, "hi"), 0)
        assert "loading it first" in r.err, r
        assert expect(run("models", "unload", "--all", "--json", "--url", server.url), 0).json() == {"unloaded": 1}


def install():
    p = subprocess.run([SCRIPT, ROOT], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if p.returncode == 77:
        print("1..0 # SKIP " + (p.stderr.strip().splitlines() or ["no reason given"])[-1])
        sys.exit(0)
    if p.returncode != 0:
        print("Bail out! llama-server.sh: " + p.stderr[-500:])
        sys.exit(1)


install()
main()
