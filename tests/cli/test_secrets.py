#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One key, planted by every way there is, looked for everywhere that it must not be."""

import http.server
import os
import shutil
import subprocess
import tempfile
import threading

from harness import CLI, Simulator, environment, expect, main, run, test, wait_until

KEY = "sk-planted-0f9e8d7c6b5a"
HEADER = "planted-header-1a2b3c4d"
MODEL = "sim-tiny-1b-q8_0"


class Other:
    """Another origin, to which a server would like to send us. Keeps all that it is told."""

    def __enter__(self):
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_any(self):
                told.append(str(self.headers) + self.path)
                self.send_response(200)
                self.end_headers()
            do_GET = do_POST = handle_any

            def log_message(self, *_):
                pass
        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def clean(what, text):
    for secret in (KEY, HEADER):
        assert secret not in text, "%s holds %s" % (what, secret)


@test
def one_key_is_nowhere_but_at_its_server():
    home = tempfile.mkdtemp(prefix="tacho-secrets-")
    capture = os.path.join(home, "capture.jsonl")
    env = environment(PLANTED=KEY, HOME=home, XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, XDG_CACHE_HOME=home,
                      G_MESSAGES_DEBUG="all")
    try:
        with Simulator("--capture", capture) as sim, Other() as other:
            redirect = "redirect=307:path=/v1/models:to=%s/v1/models" % other.url
            bad = Simulator("--fault", redirect, "--fault", "challenge=bearer:path=/props")
            secret = ["--api-key-env", "PLANTED", "--header", "X-Api-Key: " + HEADER]
            files = ["--out", os.path.join(home, "run.json"), "--records", os.path.join(home, "run.jsonl")]
            commands = [
                ["probe"], ["probe", "--json"], ["models"], ["models", "show", MODEL, "--json"],
                ["models", "unload", MODEL], ["models", "load", MODEL], ["models", "pull", "nothing/of-the-kind"],
                ["prompt", "-m", MODEL, "--stats", "hello"], ["prompt", "-m", MODEL, "--json", "hello"],
                ["prompt", "-m", "none", "hello"],
                ["bench", "-m", MODEL, "--concurrency", "2", "--requests", "4", "--output-tokens", "4", *files],
            ]
            for command in commands:
                result = run(*command, "--url", sim.url, *secret, env=env)
                clean("the output of " + " ".join(command), result.out + result.err)
            for command in (["probe"], ["models"], ["prompt", "-m", MODEL, "hello"]):
                result = run(*command, "--url", bad.url, *secret, env=env)
                assert result.code != 0, (command, result)
                clean("the output of a redirect", result.out + result.err)
            bad.stop()
            assert other.told == [], other.told
        for folder, _, names in os.walk(home):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    clean(os.path.join(folder, name), file.read())
        with open(capture, encoding="utf-8") as file:
            text = file.read()
        assert '"Authorization","[redacted]"' in text, text[:500]  # it did reach its server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@test
def a_key_is_no_argument_of_a_running_process():
    with Simulator("--fault", "stall:after=1") as sim:
        env = environment(PLANTED=KEY)
        process = subprocess.Popen([CLI, "prompt", "--url", sim.url, "-m", MODEL, "--api-key-env", "PLANTED", "hi"],
                                   env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            def arguments_of():
                with open("/proc/%d/cmdline" % process.pid, encoding="utf-8") as file:
                    return file.read()
            wait_until(lambda: "PLANTED" in arguments_of(), "the command to run")
            arguments = arguments_of()
            assert "PLANTED" in arguments and KEY not in arguments, arguments
        finally:
            process.terminate()
            process.wait(10)
    refused = expect(run("prompt", "--url", "sim:", "--api-key", KEY, "hi"), 2)
    clean("the refusal of a key as an argument", refused.out + refused.err)


main()
