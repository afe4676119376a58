# SPDX-License-Identifier: GPL-3.0-or-later
"""A benchmark over HTTP/2, through nghttp2's proxy: many requests share few connections and none is lost."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))

from harness import Simulator, Skip, TINY, expect, main, run, test, wait_until  # noqa: E402


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Proxy:
    """nghttpx with TLS in front of a server."""

    def __init__(self, folder, backend):
        self.key, self.certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.certificate,
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True,
                       stderr=subprocess.DEVNULL)
        self.port = free_port()
        self.process = subprocess.Popen(
            [NGHTTPX, "--conf=/dev/null", "-f127.0.0.1,%d" % self.port, "-b127.0.0.1,%d" % backend, "--workers=1", "-LERROR",
             self.key, self.certificate], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = "https://127.0.0.1:%d" % self.port

    def __enter__(self):
        wait_until(lambda: listens(self.port), "nghttpx")
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()


NGHTTPX = shutil.which("nghttpx", path=os.environ.get("PATH", "") + ":/usr/sbin")


@test
def many_requests_share_a_connection():
    if NGHTTPX is None:
        raise Skip("nghttpx is not installed (nghttp2-proxy)")
    with tempfile.TemporaryDirectory() as folder, Simulator() as sim, Proxy(folder, sim.hello["port"]) as proxy:
        run_ = expect(run("bench", "--url", proxy.url, "--ca", proxy.certificate, "--http2", "-m", TINY, "-n", "60", "-c", "8",
                          "--output-tokens", "16", "--json"), 0).json()
        assert run_["counts"]["ok"] == 60 and run_["throughput"]["output_tokens"] == 960, run_["errors"]
        assert run_["plan"]["http"] == "2" and run_["self_check"]["connections_created"] <= 2, run_["self_check"]
        # The same over HTTP/1.1: a connection for each place.
        run_ = expect(run("bench", "--url", proxy.url, "--ca", proxy.certificate, "-m", TINY, "-n", "24", "-c", "8",
                          "--output-tokens", "8", "--json"), 0).json()
        assert run_["counts"]["ok"] == 24 and run_["self_check"]["connections_created"] >= 8, run_["self_check"]


@test
def without_tls_it_is_refused():
    r = expect(run("bench", "--url", "sim:", "-m", TINY, "--http2"), 2)
    assert "https" in r.err and r.out == "", r


main()
