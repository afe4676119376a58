# SPDX-License-Identifier: GPL-3.0-or-later
"""simulate, as curl and Python's own HTTP client see it."""
import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import types

from harness import CLI, LIMIT_S, Simulator, TINY, certificate, environment, expect, main, run, test, wait_until

BIG = "sim-llama-8b-q4_k_m"
SOURCE = os.environ["TACHO_SOURCE_ROOT"]
MESSAGES = [{"role": "user", "content": "hi"}]


class Reply:
    def __init__(self, code, head, body):
        self.code, self.body = code, body
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0] else 0
        self.headers = {k.lower(): v.strip() for k, v in (l.split(":", 1) for l in lines[1:] if ":" in l)}

    def json(self):
        return json.loads(self.body)

    def events(self):
        """The data of each SSE event."""
        return [line[5:].strip() for line in self.body.decode().split("\n") if line.startswith("data:")]

    def __repr__(self):
        return "curl's exit %d, status %d, %r\n%s" % (self.code, self.status, self.headers, self.body[:2000])


def curl(url, data=None, *arguments, method=None):
    """One request; the exit status of curl is in `code`."""
    command = ["curl", "-sS", "-N", "-i", "--http1.1", "--max-time", str(LIMIT_S), *arguments, url]
    if method:
        command += ["-X", method]
    if data is not None:
        command += ["-H", "Content-Type: application/json", "-d", json.dumps(data)]
    p = subprocess.run(command, capture_output=True, timeout=LIMIT_S + 5, env=environment())
    head, _, body = p.stdout.partition(b"\r\n\r\n")
    return Reply(p.returncode, head, body)


def get(url, status=200):
    r = curl(url)
    assert r.code == 0 and r.status == status, r
    return r


def post(url, data, status=200, *arguments):
    r = curl(url, data, *arguments)
    assert r.code == 0 and r.status == status, r
    return r


def counters(sim):
    return get(sim.url + "/__tacho/counters").json()


def chat(model, n, stream=True):
    return {"model": model, "messages": MESSAGES, "max_tokens": n, "stream": stream,
            "stream_options": {"include_usage": True}}


def check_openai(url, model, done="[DONE]"):
    """A list, a stream whose usage is exact, a whole reply, and an unknown model."""
    assert any(m["id"] == model for m in get(url + "/v1/models").json()["data"])
    events = post(url + "/v1/chat/completions", chat(model, 5)).events()
    assert events[-1] == done, events
    chunks = [json.loads(e) for e in events[:-1]]
    assert chunks[-1]["usage"]["completion_tokens"] == 5, chunks[-1]
    text = "".join(c["delta"].get("content") or "" for k in chunks for c in k["choices"])
    whole = post(url + "/v1/chat/completions", chat(model, 5, False)).json()
    assert whole["choices"][0]["message"]["content"] == text and text, (text, whole)
    assert whole["usage"]["completion_tokens"] == 5 and whole["choices"][0]["finish_reason"] == "length"


@test
def the_first_line_is_the_address_and_a_signal_ends_it_well():
    for number in (signal.SIGINT, signal.SIGTERM):
        p = subprocess.Popen([CLI, "simulate"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        line = p.stdout.readline().decode()
        assert line.startswith("listening on http://127.0.0.1:"), line
        expect(run("prompt", "--url", line.split()[-1], "-m", TINY, "--max-tokens", 4, "hi"), 0)
        p.send_signal(number)
        out, err = p.communicate(timeout=LIMIT_S)
        assert p.returncode == 0 and out == b"" and b"1 completed" in err and b"4 output tokens" in err, err


@test
def ten_thousand_models_need_no_descriptor_each():
    with Simulator("--models", "10000") as sim:
        assert len(get(sim.url + "/v1/models").json()["data"]) == 10000
        opened = len(os.listdir("/proc/%d/fd" % sim.process.pid))
        assert opened < 100, opened


@test
def json_gives_the_address_in_one_line():
    with Simulator("--models", 3) as sim:
        assert sim.hello["schema"] == "tacho.simulate/1" and len(sim.hello["models"]) == 3
        assert sim.url.endswith(":%d" % sim.hello["port"])
        assert len(run("models", "--json", "--url", sim.url).json()) == 3


@test
def a_taken_port_is_exit_1():
    with Simulator() as sim:
        r = expect(run("simulate", "--port", sim.hello["port"]), 1)
        assert str(sim.hello["port"]) in r.err and r.out == "", r


@test
def timing_and_seed_are_kept():
    texts = []
    for _ in range(2):
        with Simulator("--ttft", 80, "--itl", 2, "--seed", 7) as sim:
            got = run("prompt", "--url", sim.url, "-m", TINY, "--max-tokens", 8, "--json", "hello").json()
            assert 80 <= got["ttft_ms"] < 1000, got
            texts.append(got["text"])
    assert texts[0] == texts[1]


@test
def openai_as_curl_sees_it():
    with Simulator("--api", "openai-fast") as sim:
        check_openai(sim.url, TINY)
        error = post(sim.url + "/v1/chat/completions", chat("none", 1), 404).json()["error"]
        assert error["code"] == "model_not_found" and "none" in error["message"], error
        assert counters(sim)["output_tokens"] == 10


@test
def llamacpp_as_curl_sees_it():
    with Simulator("--api", "llamacpp-fast") as sim:
        check_openai(sim.url, TINY)
        states = {m["id"]: m["status"]["value"] for m in get(sim.url + "/models").json()["data"]}
        assert states[TINY] == "loaded" and states["sim-qwen-32b-q4_k_m"] == "unloaded", states
        assert get(sim.url + "/props").json()["role"] == "router"
        assert post(sim.url + "/models/load", {"model": "sim-qwen-32b-q4_k_m"}).json() == {"success": True}
        wait_until(lambda: any(m["id"] == "sim-qwen-32b-q4_k_m" and m["status"]["value"] == "loaded"
                               for m in get(sim.url + "/models").json()["data"]), "the model")
        error = post(sim.url + "/models/load", {"model": "none"}, 404).json()["error"]
        assert error["type"] == "not_found_error", error


@test
def ollama_as_curl_sees_it():
    with Simulator("--api", "ollama-fast") as sim:
        check_openai(sim.url, TINY)
        assert any(m["name"] == TINY for m in get(sim.url + "/api/tags").json()["models"])
        r = post(sim.url + "/api/chat", {"model": TINY, "messages": MESSAGES, "options": {"num_predict": 4}})
        assert r.headers["content-type"] == "application/x-ndjson", r
        lines = [json.loads(line) for line in r.body.decode().splitlines()]
        assert not any(l["done"] for l in lines[:-1]) and lines[-1]["done"] and lines[-1]["eval_count"] == 4, lines
        error = post(sim.url + "/api/chat", {"model": "none", "messages": MESSAGES}, 404).json()
        assert error == {"error": "model 'none' not found"}, error


@test
def lmstudio_as_curl_sees_it():
    with Simulator("--api", "lmstudio-fast") as sim:
        check_openai(sim.url, TINY)
        assert any(m["key"] == TINY and m["loaded_instances"] for m in get(sim.url + "/api/v1/models").json()["models"])
        r = post(sim.url + "/api/v1/chat", {"model": TINY, "input": "hi", "stream": True, "max_output_tokens": 3})
        names = [line[6:].strip() for line in r.body.decode().split("\n") if line.startswith("event:")]
        assert names[0] == "chat.start" and names[-1] == "chat.end", names
        assert json.loads(r.events()[-1])["result"]["stats"]["total_output_tokens"] == 3, r
        assert "Unexpected endpoint" in get(sim.url + "/none").json()["error"]


@test
def vllm_sglang_and_tgi_as_curl_sees_them():
    with Simulator("--api", "vllm-fast", "--also", "sglang", "--also", "tgi") as sim:
        vllm, sglang, tgi = [front["url"] for front in sim.hello["fronts"]]
        for url in (vllm, sglang, tgi):
            check_openai(url, BIG)
            assert get(url + "/health").body == b""
        assert get(vllm + "/v1/models").json()["data"][0]["max_model_len"] == 8192
        assert post(vllm + "/v1/chat/completions", chat("none", 1), 404).json()["error"]["type"] == "NotFoundError"
        assert get(sglang + "/get_model_info").json()["is_generation"] is True
        events = post(sglang + "/generate", {"text": "hi", "stream": True, "sampling_params": {"max_new_tokens": 3}}).events()
        assert events[-1] == "[DONE]"
        texts = [json.loads(e)["text"] for e in events[:-1]]
        assert all(b.startswith(a) for a, b in zip(texts, texts[1:])), texts
        assert post(sglang + "/v1/chat/completions", chat("none", 1), 404).json()["object"] == "error"
        assert get(tgi + "/info").json()["model_id"] == BIG
        last = json.loads(post(tgi + "/generate_stream", {"inputs": "hi", "parameters": {"max_new_tokens": 3}}).events()[-1])
        assert last["details"]["generated_tokens"] == 3 and last["generated_text"], last
        assert post(tgi + "/generate", {"inputs": ""}, 422).json()["error_type"] == "validation"


@test
def the_open_inference_protocol_as_curl_sees_it():
    with Simulator("--api", "oip-fast", "--also", "kserve") as sim:
        oip, kserve = [front["url"] for front in sim.hello["fronts"]]
        index = {m["name"]: m.get("state") for m in post(oip + "/v2/repository/index", {}).json()}
        assert index[TINY] == "READY" and index["sim-qwen-32b-q4_k_m"] is None, index
        assert get(oip + "/v2/health/ready").body == b"" and TINY in get(kserve + "/v2/models").json()["models"]
        for url in (oip, kserve):
            events = [json.loads(e) for e in post(url + "/v2/models/%s/generate_stream" % TINY, {
                "text_input": "hi", "stream": True, "max_tokens": 3}).events()]
            assert sum(e["num_output_tokens"] for e in events) == 3 and events[-1]["finish_reason"] == "length", events
        assert "none" in curl(oip + "/v2/models/none/generate", {"text_input": "hi"}).json()["error"]


@test
def ryzanstein_as_curl_sees_it():
    with Simulator("--api", "ryzanstein-fast") as sim:
        models = {m["id"]: m for m in get(sim.url + "/v1/models").json()["data"]}
        assert models[TINY]["loaded"] and models[TINY]["context_window"] == 4096
        assert get(sim.url + "/health").json()["status"] == "healthy"
        events = post(sim.url + "/v1/completions", {"model": TINY, "prompt": "hi", "max_tokens": 3, "stream": True}).events()
        assert events[-1] == "[DONE]" and len(events) > 3, events
        error = post(sim.url + "/v1/models/load", {"model_id": "none"}, 404).json()
        assert "none" in error["message"] and "code" in error, error


@test
def several_fronts_are_one_server():
    with Simulator("--api", "oip-fast", "--also", "ollama", "--grpc-port", 0) as sim:
        fronts = {(f["family"], f["url"].split(":")[0]): f["url"] for f in sim.hello["fronts"]}
        assert set(fronts) == {("oip", "http"), ("ollama", "http"), ("oip", "grpc")}, fronts
        post(fronts["ollama", "http"] + "/api/generate", {"model": "sim-qwen-32b-q4_k_m"})
        assert get(fronts["oip", "http"] + "/v2/models/sim-qwen-32b-q4_k_m/ready").body == b""
        r = run("prompt", "--grpc", fronts["oip", "grpc"], "--protocol", "grpc", "--api", "oip", "-m", TINY,
                "--max-tokens", 4, "hi")
        assert r.code == 0 and r.out.strip(), r
        assert counters(sim)["output_tokens"] == 4, counters(sim)


@test
def an_also_with_a_port_has_that_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Simulator("--also", "ollama:%d" % port) as sim:
        assert sim.hello["fronts"][1]["url"] == "http://127.0.0.1:%d" % port
        assert get("http://127.0.0.1:%d/" % port).body == b"Ollama is running"


@test
def tls_is_what_curl_can_check():
    with certificate() as (cert, key):
        with Simulator("--api", "openai-fast", "--tls-cert", cert, "--tls-key", key) as sim:
            assert sim.url.startswith("https://127.0.0.1:"), sim.hello
            r = curl(sim.url + "/v1/chat/completions", chat(TINY, 3), "--cacert", cert)
            assert r.code == 0 and r.status == 200 and r.events()[-1] == "[DONE]", r
            assert curl(sim.url + "/v1/models").code == 60, "nobody has vouched for it"
            assert curl(sim.url.replace("https", "http") + "/v1/models").code != 0
        ca = os.path.relpath(cert)
        with Simulator("--api", "openai-fast", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", ca) as sim:
            assert curl(sim.url + "/v1/models", None, "--cacert", cert).status != 200
            r = curl(sim.url + "/v1/models", None, "--cacert", cert, "--cert", cert, "--key", key)
            assert r.status == 200, r
            with certificate() as (stranger, its_key):
                r = curl(sim.url + "/v1/models", None, "--cacert", cert, "--cert", stranger, "--key", its_key)
                assert r.status != 200, r
        expect(run("simulate", "--tls-cert", cert), 2)


@test
def a_small_kv_cache_makes_requests_wait():
    with Simulator("--api", "vllm-fast", "--kv-cache", 64, "--slots", 4) as sim:
        body = {"model": BIG, "prompt": "w " * 30, "max_tokens": 20, "ignore_eos": True}
        together = [subprocess.Popen(["curl", "-sS", "-H", "Content-Type: application/json", "-d", json.dumps(body),
                                      sim.url + "/v1/completions"], stdout=subprocess.PIPE) for _ in range(4)]
        for p in together:
            out, _ = p.communicate(timeout=LIMIT_S)
            assert json.loads(out)["usage"]["completion_tokens"] == 20, out
        c = counters(sim)
        assert c["max_active"] < 4 and c["completed"] == 4 and c["output_tokens"] == 80, c


@test
def over_the_rate_limit_is_429_with_a_time_to_wait():
    with Simulator("--api", "openai-fast", "--rate-limit", 0.05) as sim:
        r = post(sim.url + "/v1/completions", {"model": TINY, "prompt": "hi", "max_tokens": 1})
        assert r.headers["x-ratelimit-remaining-requests"] == "0", r
        r = post(sim.url + "/v1/completions", {"model": TINY, "prompt": "hi", "max_tokens": 1}, 429)
        assert 1 <= int(r.headers["retry-after"]) <= 20 and r.json()["error"]["code"] == "rate_limit_exceeded", r
        get(sim.url + "/v1/models")
        assert counters(sim)["generations"] == 1


FAULTS = [
    # spec, curl's exit status, HTTP status, in the body
    ("status=503:retry-after=7", 0, 503, b"simulated status 503"),
    ("status=502:body=html", 0, 502, b"<html>"),
    ("drop", 56, 0, b""),
    ("drop:after=2", 56, 200, b"data:"),
    ("truncate:after=2", 0, 200, b"data:"),
    ("error:after=2", 0, 200, b"simulated error"),
    ("no-marker", 0, 200, b"finish_reason"),
    ("bad-json:after=1", 0, 200, b"data:"),
    ("cut-chunk:after=1", 18, 200, b"data:"),
    ("html", 0, 200, b"<html"),
    ("challenge=digest", 0, 401, b""),
    ("redirect=307:to=http://127.0.0.1:9/", 0, 307, b""),
    ("bandwidth=20000", 0, 200, b"[DONE]"),
    ("slice=7:delay=1", 0, 200, b"[DONE]"),
    ("crlf", 0, 200, b"[DONE]\r\n"),
    ("comments=5", 0, 200, b"[DONE]"),
]


@test
def faults_are_what_curl_meets():
    with Simulator("--api", "openai-fast") as sim:
        for spec, code, status, inside in FAULTS:
            r = curl(sim.url + "/v1/chat/completions", chat(TINY, 6), "-H", "X-Tacho-Fault: " + spec)
            assert (r.code == code or (code == 56 and r.code == 52)) and r.status == status and inside in r.body, (spec, r)
            assert status == 0 or spec.split(":")[0] in r.headers.get("x-tacho-fault", ""), (spec, r)
        seen = [r["fault"] for r in get(sim.url + "/__tacho/requests").json()]
        assert [spec.split(":")[0] for spec, *_ in FAULTS] == [s.split(":")[0] for s in seen], seen
    with Simulator("--api", "openai-fast", "--fault", "status=500:n=2", "--fault", "truncate:after=1:n=3") as sim:
        replies = [curl(sim.url + "/v1/chat/completions", chat(TINY, 4)) for _ in range(3)]
        assert [r.status for r in replies] == [200, 500, 200], replies
        assert b"[DONE]" in replies[0].body and b"[DONE]" not in replies[2].body, replies
    r = run("simulate", "--fault", "drp")
    assert r.code == 2, r
    assert "drp" in r.err and "truncate" in r.err, r


def scenario(folder, **members):
    path = os.path.join(folder, "scenario.json")
    with open(path, "w") as file:
        json.dump(members, file)
    return path


def listens(url):
    port = int(url.rsplit(":", 1)[1])
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@test
def a_scenario_is_played():
    with tempfile.TemporaryDirectory() as folder:
        path = scenario(folder, slots=2, fronts=[{"api": "openai"}, {"api": "oip", "grpc": True}],
                        models=[{"id": "mine", "decode_ms_per_step": 1, "prefill_ms_per_token": 0}],
                        timeline=[{"at": 0.5, "do": "down", "side": "grpc"},
                                  {"at": 0.5, "do": "add-fault", "fault": "status=504"},
                                  {"at": 1.5, "do": "clear-faults"},
                                  {"at": 1.5, "do": "up", "side": "grpc"}])
        with Simulator("--scenario", path) as sim:
            assert sim.hello["models"] == ["mine"] and len(sim.hello["fronts"]) == 2, sim.hello
            body = {"model": "mine", "prompt": "hi", "max_tokens": 1}
            grpc = sim.hello["fronts"][1]["url"]
            wait_until(lambda: not listens(grpc), "the gRPC side to go")
            wait_until(lambda: curl(sim.url + "/v1/completions", body).status == 504, "the fault")
            wait_until(lambda: listens(grpc), "the gRPC side to come back")
            wait_until(lambda: curl(sim.url + "/v1/completions", body).status == 200, "the end of the fault")
        r = expect(run("simulate", "--scenario", scenario(folder, slotz=2)), 2)
        assert "slotz" in r.err and path in r.err and r.out == "", r
    assert "/nowhere" in expect(run("simulate", "--scenario", "/nowhere"), 1).err


@test
def a_scenario_keeps_its_certificate():
    with certificate() as (cert, key), tempfile.TemporaryDirectory() as folder:
        path = scenario(folder, fronts=[{"api": "openai", "tls": True}], tls_cert=cert, tls_key=key)
        with Simulator("--scenario", path) as sim:
            assert sim.url.startswith("https://"), sim.hello
            assert curl(sim.url + "/v1/models", None, "--cacert", cert).status == 200


@test
def faults_and_sides_can_be_changed_over_http():
    with Simulator("--api", "hybrid-fast") as sim:
        ask = lambda: curl(sim.url + "/v2/models/%s/generate" % TINY, {"text_input": "hi", "max_tokens": 1}).status
        spec = "status=500:n=2-"
        assert post(sim.url + "/__tacho/faults", {"fault": spec}).json() == [{"fault": spec, "matched": 0, "played": 0}]
        assert [ask(), ask()] == [200, 500]
        assert get(sim.url + "/__tacho/faults").json() == [{"fault": spec, "matched": 2, "played": 1}]
        assert curl(sim.url + "/__tacho/faults", method="DELETE").json() == []
        assert ask() == 200
        assert "drp" in post(sim.url + "/__tacho/faults", {"fault": "drp"}, 400).body.decode()
        grpc = sim.hello["fronts"][1]["url"]
        post(sim.url + "/__tacho/side", {"grpc": "down"})
        wait_until(lambda: not listens(grpc), "the gRPC side to go")
        assert get(sim.url + "/__tacho/side").json() == {"rest": "up", "grpc": "down"}
        post(sim.url + "/__tacho/side", {"grpc": "up"})
        wait_until(lambda: listens(grpc), "the gRPC side to come back")


def blocks(language):
    with open(os.path.join(SOURCE, "docs", "simulate.md")) as file:
        return re.findall(r"^```%s\n(.*?)^```" % language, file.read(), re.M | re.S)


@test
def the_manual_says_what_works():
    with Simulator("--api", "openai-fast") as sim:
        here = lambda text: text.replace("http://127.0.0.1:18080", sim.url)
        shown = [b for b in blocks("sh") if "127.0.0.1:18080" in b]
        assert len(shown) == 2, shown
        for block in shown:
            p = subprocess.run(["bash", "-euc", here(block)], capture_output=True, timeout=LIMIT_S, env=environment())
            assert p.returncode == 0 and b"error" not in p.stdout, (block, p)
        first, fixture = blocks("python")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(here(first), "simulate.md", "exec"), {})
        assert out.getvalue().strip().endswith(" 16"), out.getvalue()

        # The fixture, with as much of pytest as it needs.
        @contextlib.contextmanager
        def raises(kind):
            caught = types.SimpleNamespace(value=None)
            try:
                yield caught
            except kind as error:
                caught.value = error
            assert caught.value is not None

        names = {"pytest": types.SimpleNamespace(fixture=lambda **unused: lambda f: f, raises=raises)}
        code = fixture.replace("import pytest\n", "").replace('"tacho-cli"', json.dumps(CLI))
        exec(compile(code, "simulate.md", "exec"), names)
        names["subprocess"] = types.SimpleNamespace(PIPE=subprocess.PIPE, Popen=lambda *a, **k: subprocess.Popen(
            *a, stderr=subprocess.DEVNULL, **k))
        server = names["llm_server"]()
        names["test_a_503_is_not_a_generation"](next(server))
        assert next(server, "over") == "over"
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(CLI, os.path.join(folder, "tacho-cli"))
        block, = [b for b in blocks("sh") if "coproc" in b]
        p = subprocess.run(["bash", "-euc", block], capture_output=True, timeout=LIMIT_S,
                           env=environment(PATH=folder + ":" + os.environ["PATH"]))
        assert p.returncode == 0 and b'"output_tokens":4' in p.stdout, p
    assert "docs/simulate.md" in expect(run("simulate", "--help"), 0).out


main()
