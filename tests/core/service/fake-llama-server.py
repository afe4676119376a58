#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for llama-server: takes its options, and behaves as FAKE_LLAMA says.

ready     answers on its port (without FAKE_LLAMA: this)
loading   answers 503, as while a model loads, until the file FAKE_LLAMA_GO is there
silent    runs, and never listens
stubborn  as ready, but takes no notice of SIGTERM
dies      ends at once, with exit code 1 and llama-server's own words
chatty    says more than a log keeps, then ends with exit code 3
simulate  is the simulated server of tacho-cli, in the guise of llama.cpp
"""
import argparse
import http.server
import os
import signal
import sys
import time

parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("--host")
parser.add_argument("--port", type=int)
parser.add_argument("--models-dir")
parser.add_argument("--model")
parser.add_argument("--ctx-size")
parser.add_argument("--n-gpu-layers")
arguments = parser.parse_args()
mode = os.environ.get("FAKE_LLAMA", "ready")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        loading = mode == "loading" and not os.path.exists(os.environ["FAKE_LLAMA_GO"])
        body = b'{"error":{"code":503,"message":"Loading model"}}' if loading else b'{"status":"ok"}'
        self.send_response(503 if loading else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *unused):
        pass


print("\033[34mmain: fake llama-server\033[0m", " ".join(sys.argv[1:]), flush=True)
if mode == "dies":
    print("gguf_init_from_file_impl: invalid magic characters: 'junk', expected 'GGUF'", file=sys.stderr)
    print("main: exiting due to model loading error", file=sys.stderr)
    sys.exit(1)
if mode == "chatty":
    for number in range(20000):
        print("line %05d: %s" % (number, "x" * 40))
    sys.exit(3)
if mode == "simulate":
    cli = os.path.join(os.environ["TACHO_BUILD_ROOT"], "src", "cli", "tacho-cli")
    os.execv(cli, [cli, "simulate", "--api", "llamacpp", "--port", str(arguments.port)])
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode == "silent":
    while True:
        time.sleep(60)
server = http.server.HTTPServer((arguments.host, arguments.port), Handler)
print("main: server is listening on http://%s:%d" % (arguments.host, arguments.port), flush=True)
server.serve_forever()
