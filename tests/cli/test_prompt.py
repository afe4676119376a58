# SPDX-License-Identifier: GPL-3.0-or-later
"""prompt: exact text, streams, interruption, hostile text, secrets."""
import json
import os
import signal
import subprocess
import time

from harness import (CLI, LIMIT_S, Simulator, TINY, environment, expect, main, openai_server, run, run_on_terminal,
                     streams, test, wait_until)

HOSTILE = "a\033]0;owned\007b\033[2Jc\u009b31md\u202ee\u2066f\U000e0041g\rh\x7fi"


@test
def text_goes_to_stdout_and_everything_else_to_stderr():
    r = expect(run("prompt", "--url", "sim:", "-m", TINY, "--max-tokens", 12, "--stats", "hello"), 0)
    assert r.out.endswith("\n") and len(r.out) > 20 and "TTFT" not in r.out
    assert "TTFT" in r.err and "12 tokens (counted by the server)" in r.err and "simulated" in r.err, r
    assert "\033" not in r.out + r.err
    quiet = expect(run("prompt", "--url", "sim:", "-m", TINY, "--max-tokens", 12, "--no-stream", "hello"), 0)
    assert quiet.out == r.out and quiet.err == "", quiet


@test
def the_tokens_are_those_that_the_simulator_counted():
    with Simulator("--models", 2) as sim:
        got = expect(run("prompt", "--url", sim.url, "-m", TINY, "--max-tokens", 17, "--json", "hello"), 0).json()
        assert got["schema"] == "tacho.prompt/1" and got["output_tokens"] == 17 and got["tokens_source"] == "usage"
        assert got["status"] == "done" and got["text"] and got["error"] is None and got["simulated"] is True
        assert 0 < got["ttft_ms"] <= got["e2e_ms"] and got["model"] == TINY, got
        counters = sim.stop()
    assert counters["output tokens"] == 17 and counters["completed"] == 1
    assert counters["prompt tokens"] == got["prompt_tokens"]


@test
def the_prompt_comes_from_stdin_whole():
    seen_file = os.path.join(os.environ.get("TMPDIR", "/tmp"), "tacho-cli-capture-%d" % os.getpid())
    try:
        with Simulator("--capture", seen_file) as sim:
            for arguments in (["-"], []):
                expect(run("prompt", "--url", sim.url, "-m", TINY, "--max-tokens", 3, "--system", "short", *arguments,
                           stdin="two\nlines é\n".encode()), 0)
            expect(run("prompt", "--url", sim.url, "-m", TINY, "--max-tokens", 3, "--", "-x", "y"), 0)
            sim.stop()
        with open(seen_file, encoding="utf-8") as f:
            bodies = [json.loads(line) for line in f]
    finally:
        if os.path.exists(seen_file):
            os.unlink(seen_file)
    bodies = [b["body"] for b in bodies if b["method"] == "POST" and "completions" in b["path"]]
    bodies = [json.loads(b) if isinstance(b, str) else b for b in bodies]
    assert len(bodies) == 3, bodies
    for body in bodies[:2]:
        assert body["messages"] == [{"role": "system", "content": "short"}, {"role": "user", "content": "two\nlines é"}]
        assert body["max_tokens"] == 3 and "temperature" not in body and "seed" not in body, body
    assert bodies[2]["messages"] == [{"role": "user", "content": "-x y"}]
    assert expect(run("prompt", "--url", "sim:", "-m", TINY, stdin=b"\xff\xfe"), 2).err.count("UTF-8") == 1


@test
def a_model_that_is_not_loaded_is_loaded_first():
    r = expect(run("prompt", "--url", "sim:", "-m", "sim-reasoner-7b-q5_k_m", "--max-tokens", 5, "hello"), 0)
    assert "loading it first" in r.err and "\033" not in r.err, r


@test
def the_only_model_needs_no_name_and_an_unknown_one_is_exit_1():
    with Simulator("--models", 1) as sim:
        expect(run("prompt", "--url", sim.url, "--max-tokens", 2, "hello"), 0)
    r = expect(run("prompt", "--url", "sim:", "-m", "sim-tiny-1b", "hello"), 1)
    assert r.out == "" and "Did you mean" in r.err, r


@test
def without_a_name_a_loaded_model_is_taken_and_said():
    r = expect(run("prompt", "--url", "sim:", "--max-tokens", 2, "hello"), 0)
    assert r.out and r.err == "2 models are loaded: taking sim-llama-8b-q4_k_m (choose with -m ID).\n", r
    with Simulator() as sim:
        expect(run("models", "unload", "--all", "--url", sim.url), 0)
        r = expect(run("prompt", "--url", sim.url, "hello"), 2)
        assert "No model is loaded; say which with -m ID" in r.err and TINY in r.err and r.out == "", r
    with openai_server(b"", models=("a", "b")) as url:
        assert "2 models that could be meant" in expect(run("prompt", "--url", url, "hello"), 2).err


@test
def a_truncated_stream_keeps_its_text_and_is_exit_1():
    with Simulator("--fault", "truncate:after=5") as sim:
        r = expect(run("prompt", "--url", sim.url, "-m", TINY, "hello"), 1)
        assert len(r.out) > 5 and r.out.endswith("\n") and r.err.startswith("tacho-cli: "), r
        got = expect(run("prompt", "--url", sim.url, "-m", TINY, "--json", "hello"), 1).json()
        assert got["status"] == "truncated" and got["error"] == "truncated" and got["text"], got


@test
def faults_of_the_server_are_exit_1_with_its_words():
    for fault, kind in (("status=503", "http_5xx"), ("status=429", "http_429"), ("error:after=2", "in_band"),
                        ("drop:after=3", None)):
        with Simulator("--fault", fault) as sim:
            got = expect(run("prompt", "--url", sim.url, "-m", TINY, "--json", "hello"), 1).json()
            assert got["status"] in ("failed", "truncated") and got["message"], (fault, got)
            assert kind is None or got["error"] == kind, (fault, got)


@test
def an_interrupt_keeps_what_came():
    with Simulator("--itl", 20, "--ttft", 1) as sim:
        p = subprocess.Popen([CLI, "prompt", "--url", sim.url, "-m", TINY, "--max-tokens", "2000", "hello"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        first = os.read(p.stdout.fileno(), 100)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=LIMIT_S)
        assert p.returncode == 130, (p.returncode, err)
        assert first and (first + out).endswith(b"\n") and b"interrupted" in err, (first, out, err)
        wait_until(sim.is_idle, "the server to notice that nobody reads")
        counters = sim.stop()
        assert counters["completed"] == 0 and counters["aborted"] == 1, counters


@test
def pipes_get_the_bytes_and_terminals_get_safe_text():
    with openai_server(streams([HOSTILE, "é" * 3, "\u4f60"])) as url:
        r = expect(run("prompt", "--url", url, "hello"), 0)
        assert r.raw.decode() == HOSTILE + "ééé\u4f60\n", r.raw
        code, out = run_on_terminal("prompt", "--url", url, "hello")
    assert code == 0, out
    text = out.decode()
    for bad in ("\033]", "\033[2J", "\007", "\u009b", "\u202e", "\u2066", "\U000e0041", "\x7f"):
        assert bad not in text, (bad, text)
    assert "ééé\u4f60\r\n" in text and "a" in text and "owned" in text


@test
def a_hostile_error_or_model_list_cannot_reach_the_terminal():
    body = json.dumps({"error": {"message": "no\033]0;owned\007\033[31m way"}}).encode()
    with openai_server(body, status=400, models=("m",)) as url:
        code, out = run_on_terminal("prompt", "--url", url, "hello")
        assert code == 1 and b"\033]" not in out and b"\033[31m" not in out and b"way" in out, out
    with openai_server(b"", models=("m\033[31m\nx", "n")) as url:
        r = expect(run("models", "--url", url), 0)
        assert "\033" not in r.out and r.out.count("\n") == 3, r


@test
def reasoning_is_never_in_the_reply_and_colour_can_be_refused():
    reasoner = ["prompt", "--url", "sim:", "-m", "sim-reasoner-7b-q5_k_m", "--max-tokens", "30", "hello"]
    got = expect(run(*reasoner, "--json"), 0).json()
    assert got["reasoning"], got
    r = expect(run(*reasoner), 0)
    assert got["reasoning"][:20] not in r.out + r.err
    code, out = run_on_terminal(*reasoner)
    assert code == 0 and b"\033[2m" in out, out
    code, out = run_on_terminal(*reasoner, env=environment(TERM="xterm", NO_COLOR="1"))
    assert code == 0 and b"\033[2m" not in out and b"\033[0m" not in out, out
    code, out = run_on_terminal(*reasoner, env=environment(TERM="dumb"))
    assert code == 0 and b"\033" not in out, out


@test
def control_c_on_a_terminal_is_130():
    with Simulator("--itl", 20, "--ttft", 1) as sim:
        code, out = run_on_terminal("prompt", "--url", sim.url, "-m", TINY, "--max-tokens", 2000, "hello",
                                    send=b"\003", when=b"simulated")
    assert code == 130 and b"simulated" in out and b"interrupted" in out, (code, out)


@test
def the_key_is_sent_and_never_shown():
    key, header = "sk-planted-4711", "planted-header-4712"
    seen = []
    env = environment(TACHO_TEST_KEY=key)
    options = ["--api-key-env", "TACHO_TEST_KEY", "--header", "x-api-key: " + header]
    with openai_server(streams(["hi"]), seen=seen) as url:
        results = [run(*c, *options, "--url", url, env=env) for c in (
            ["probe"], ["probe", "--json"], ["models", "--json"], ["prompt", "hello", "--stats"], ["prompt", "hello", "--json"])]
    with openai_server(b'{"error":{"message":"bad key"}}', status=401) as url:
        results.append(expect(run("prompt", "hello", *options, "--url", url, env=env), 1))
    assert any(h.get("Authorization") == "Bearer " + key and h.get("x-api-key") == header
               for path, h in seen if path.endswith("completions")), seen
    for r in results:
        assert key not in r.out + r.err and header not in r.out + r.err, r


@test
def the_text_streams_as_it_comes():
    with Simulator("--itl", 50, "--ttft", 1) as sim:
        p = subprocess.Popen([CLI, "prompt", "--url", sim.url, "-m", TINY, "--max-tokens", "20", "hello"],
                             stdout=subprocess.PIPE, env=environment())
        first = os.read(p.stdout.fileno(), 4096)
        at_first = time.monotonic()
        rest = p.stdout.read()
        # 20 tokens at 50 ms: the first came long before the last.
        assert first and rest and time.monotonic() - at_first > 0.3
        assert p.wait(LIMIT_S) == 0


main()
