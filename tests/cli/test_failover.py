#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with two sides on the command line: one is killed and comes back."""

import json
import os
import subprocess
import urllib.request

from harness import CLI, environment, expect, main, run, test


class Server:
    """The simulated server over REST and gRPC, as a process of its own."""

    def __enter__(self):
        self.process = subprocess.Popen([CLI, "simulate", "--api", "oip", "--grpc-port", "0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env=environment())
        self.url = self.process.stdout.readline().split()[-1]
        self.grpc = self.process.stdout.readline().split()[-1]
        self.options = ["--url", self.url, "--grpc", self.grpc]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def side(self, **sides):
        request = urllib.request.Request(self.url + "/__tacho/side", json.dumps(sides).encode(),
                                         {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        assert opener.open(request, timeout=10).status == 200

    def counters(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return json.load(opener.open(self.url + "/__tacho/counters", timeout=10))

    def prompt(self):
        return expect(run("prompt", *self.options, "-m", "sim-tiny-1b-q8_0", "--max-tokens", "4",
                          "--json", "hello"), 0).json()


@test
def a_prompt_goes_by_grpc_first():
    with Server() as server:
        reply = server.prompt()
        assert [a["protocol"] for a in reply["attempts"]] == ["grpc"], reply["attempts"]
        assert reply["attempts"][0]["stage"] == "done"
        assert reply["output_tokens"] == 4 and reply["tokens_source"] == "usage"
        probe = expect(run("probe", *server.options, "--json"), 0).json()
        assert [e["protocol"] for e in probe["endpoints"]] == ["grpc", "rest"]
        assert [e["serving"] for e in probe["endpoints"]] == [True, False]
        assert probe["state"] == "connected" and probe["reason"] is None
        for endpoint in probe["endpoints"]:
            assert endpoint["evidence"] and endpoint["breaker"] == "closed"
            assert endpoint["pool"]["requests"] > 0 and endpoint["pool"]["failed"] == 0


@test
def without_its_grpc_side_it_goes_by_rest():
    with Server() as server:
        server.side(grpc="down")
        before = server.counters()["generations"]
        reply = server.prompt()
        assert reply["attempts"][-1]["protocol"] == "rest", reply["attempts"]
        assert server.counters()["generations"] == before + 1
        probe = expect(run("probe", *server.options, "--json"), 0).json()
        assert probe["state"] == "degraded" and "gRPC side is down" in probe["reason"], probe
        down = probe["endpoints"][0]
        assert down["state"] == "down" and "Nothing listens" in down["last_error"], down
        server.side(grpc="up")
        assert server.prompt()["attempts"][0]["protocol"] == "grpc"


@test
def the_watch_says_each_change():
    with Server() as server:
        watch = subprocess.Popen([CLI, "probe", *server.options, "--watch", "--json"],
                                 stdout=subprocess.PIPE, text=True, env=environment())

        def until(state, serving):
            for line in watch.stdout:
                said = json.loads(line)
                now = [e["protocol"] for e in said["endpoints"] if e["serving"]]
                if said["state"] == state and now == [serving]:
                    return said
            raise AssertionError("the watch ended")
        try:
            until("connected", "grpc")
            server.side(grpc="down")
            assert "gRPC side is down" in until("degraded", "rest")["reason"]
            server.side(grpc="up")
            assert until("connected", "grpc")["reason"] is None
        finally:
            watch.terminate()
            watch.wait(10)


@test
def one_side_alone_can_be_asked_for():
    with Server() as server:
        for protocol in ("rest", "grpc"):
            probe = expect(run("probe", *server.options, "--protocol", protocol, "--json"), 0).json()
            assert [e["protocol"] for e in probe["endpoints"]] == [protocol]
        alone = expect(run("probe", "--grpc", server.grpc, "--json"), 0).json()
        assert alone["api"] == "oip" and alone["url"] is None
        models = expect(run("models", "--grpc", server.grpc, "--json"), 0).json()
        assert len(models) == 6
    expect(run("probe", "--grpc", server.grpc), 3)


@test
def wrong_addresses_are_wrong_usage():
    for arguments, words in ((["--grpc", "x"], "HOST:PORT"),
                             (["--url", "http://127.0.0.1:1", "--protocol", "grpc"], "gRPC side"),
                             (["--url", "sim:", "--protocol", "carrier"], "rest, grpc or hybrid"),
                             (["--url", "http://127.0.0.1:1", "--pin", "sha256:12"], "64"),
                             (["--url", "http://127.0.0.1:1", "--proxy", "ftp://x"], "proxy"),
                             (["--url", "http://127.0.0.1:1", "--cert", "/x"], "key")):
        r = expect(run("probe", *arguments), 2)
        assert words in r.err, (arguments, r.err)


@test
def a_key_in_plain_text_to_another_machine_must_be_allowed():
    env = dict(os.environ, PLAIN_KEY="k3y-that-stays-here")
    r = run("probe", "--url", "http://models.invalid", "--api-key-env", "PLAIN_KEY", env=env)
    assert r.code != 0 and "plain text" in r.err and "k3y" not in r.err, r.err
    r = run("probe", "--url", "http://models.invalid", "--api-key-env", "PLAIN_KEY",
            "--allow-plain-key", env=env)
    assert r.code == 3 and "plain text" not in r.err, r.err


main()
