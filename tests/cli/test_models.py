# SPDX-License-Identifier: GPL-3.0-or-later
"""probe and models."""
import contextlib
import http.server
import json
import threading

from harness import Simulator, TINY, expect, main, run, run_on_terminal, test

FIELDS = {"id", "name", "family", "kind", "quantization", "parameters", "size_bytes", "memory_bytes", "context_window",
          "max_output", "status", "progress", "status_reason", "capabilities", "loaded_at"}


@test
def probe_says_what_it_found():
    text = expect(run("probe", "--url", "sim:"), 0)
    assert "llamacpp" in text.out and "Simulated  yes" in text.out and "\033" not in text.out
    document = expect(run("probe", "--url", "sim:", "--json"), 0).json()
    assert document["api"] == "llamacpp" and document["health"] == "ok" and document["simulated"] is True
    assert document["latency_ms"] > 0 and document["evidence"] and document["endpoint"].startswith("http://127.0.0.1:")
    assert expect(run("probe", "--url", "sim:openai", "--json"), 0).json()["api"] == "openai"


@test
def list_is_a_table_and_json_has_all_fields():
    text = expect(run("models", "--url", "sim:"), 0).out.splitlines()
    assert text[0].split() == ["ID", "FAMILY", "PARAMETERS", "QUANT", "SIZE", "CONTEXT", "STATUS"]
    column = text[0].index("STATUS")
    assert {line[column:] for line in text[1:]} == {"loaded", "unloaded"}, text
    models = expect(run("models", "list", "--refresh", "--json", "--url", "sim:"), 0).json()
    assert len(models) == len(text) - 1
    for model in models:
        assert FIELDS <= set(model), FIELDS - set(model)
    tiny = next(m for m in models if m["id"] == TINY)
    assert tiny["status"] == "loaded" and tiny["quantization"] == "Q8_0" and tiny["size_bytes"] > 10 ** 9
    assert tiny["context_window"] == 4096


@test
def show_load_unload_change_the_server():
    with Simulator() as sim:
        def status(model):
            return expect(run("models", "show", model, "--json", "--url", sim.url), 0).json()["status"]

        assert status(TINY) == "loaded"
        r = expect(run("models", "unload", TINY, "--url", sim.url), 0)
        assert r.out == "" and r.err == TINY + " is unloaded.\n", r
        assert status(TINY) == "unloaded"
        assert expect(run("models", "load", TINY, "--json", "--url", sim.url), 0).json()["status"] == "loaded"
        assert status(TINY) == "loaded"
        assert expect(run("models", "unload", "--all", "--json", "--url", sim.url), 0).json() == {"unloaded": 2}
        assert {m["status"] for m in expect(run("models", "--json", "--url", sim.url), 0).json()} == {"unloaded"}


@test
def a_load_that_fails_is_exit_1_with_what_the_server_says():
    r = expect(run("models", "load", "sim-broken-70b-q4_0", "--url", "sim:"), 1)
    assert r.out == "" and "could not be loaded: " in r.err and "exit code 1" in r.err, r


@test
def an_unknown_model_is_exit_1_and_names_the_near_one():
    for command in (["models", "load"], ["models", "show"], ["models", "unload"]):
        r = expect(run(*command, "sim-tiny-1b", "--url", "sim:"), 1)
        assert "Did you mean “%s”" % TINY in r.err, r
    r = expect(run("models", "load", "zzz", "--url", "sim:"), 1)
    assert "The server has: sim-" in r.err, r


@test
def loading_shows_progress_on_a_terminal_only():
    with Simulator() as sim:
        expect(run("models", "unload", TINY, "--url", sim.url), 0)
        code, out = run_on_terminal("models", "load", TINY, "--url", sim.url)
        assert code == 0 and b"Loading " + TINY.encode() in out, out
        assert out.endswith(TINY.encode() + b" is loaded.\r\n"), out


@contextlib.contextmanager
def ollama(lines):
    """A small Ollama with one model, that answers a pull with `lines`."""
    models = ["small"]

    class Handler(http.server.BaseHTTPRequestHandler):
        def reply(self, data):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            self.reply(json.dumps({"version": "0.13", "models": [{"name": name} for name in models]} if self.path != "/api/ps"
                                  else {"models": []}).encode())

        def do_POST(self):
            self.reply("".join(json.dumps(line) + "\n" for line in lines).encode())

        def do_DELETE(self):
            models.clear()
            self.reply(b"")

        def log_message(self, *unused):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield ["--api", "ollama", "--url", "http://127.0.0.1:%d" % server.server_address[1]]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@test
def a_pull_tells_how_far_it_is():
    lines = [{"status": "pulling manifest"}, {"status": "pulling ab", "total": 2000, "completed": 500}, {"status": "success"}]
    with ollama(lines) as server:
        plain = expect(run("models", "pull", "new", *server), 0)
        assert plain.out == "" and "pulling ab   25 %" in plain.err and plain.err.endswith("new is on the server.\n"), plain.err
        assert expect(run("models", "pull", "new", "--json", *server), 0).json() == {
            "id": "new", "status": "success", "pulled": True}
        code, out = run_on_terminal("models", "pull", "new", *server)
        assert code == 0 and b"[######..................]   25 %" in out, out


@test
def a_pull_that_fails_or_breaks_off_is_no_success():
    with ollama([{"status": "pulling manifest"}, {"error": "file does not exist\033[2J"}]) as server:
        failed = expect(run("models", "pull", "new", *server), 1)
        assert "file does not exist" in failed.err and "\033" not in failed.err, failed.err
    with ollama([{"status": "pulling manifest"}]) as server:
        assert "without success" in expect(run("models", "pull", "new", *server), 1).err


@test
def delete_takes_a_model_away():
    with ollama([]) as server:
        assert expect(run("models", "delete", "small", "--json", *server), 0).json() == {"deleted": "small"}
        assert "No model" in expect(run("models", "delete", "small", *server), 1).err
        assert "cannot load adapters" in expect(run("models", "load", "x", "--from", "/a", *server), 1).err


main()
