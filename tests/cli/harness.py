# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Python tests of tacho-cli share: TAP, running the built binary, servers, terminals."""
import contextlib
import http.server
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

CLI = os.environ.get("TACHO_CLI") or os.path.join(os.environ["TACHO_BUILD_ROOT"], "src/cli/tacho-cli")
LIMIT_S = 60
_folder = tempfile.TemporaryDirectory(prefix="tacho-")
HISTORY = os.path.join(_folder.name, "history.db")  # of this test alone
TINY = "sim-tiny-1b-q8_0"
_tests = []


def test(function):
    _tests.append(function)
    return function


class Skip(Exception):
    pass


def main():
    wanted = sys.argv[1:]
    tests = [t for t in _tests if not wanted or t.__name__ in wanted]
    failed = 0
    print("TAP version 13\n1..%d" % len(tests), flush=True)
    for number, function in enumerate(tests, 1):
        name = function.__name__
        try:
            function()
            print("ok %d %s" % (number, name), flush=True)
        except Skip as why:
            print("ok %d %s # SKIP %s" % (number, name, why), flush=True)
        except Exception:  # a test that breaks is a test that fails
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d %s" % (number, name), flush=True)
    sys.exit(1 if failed else 0)


def environment(**extra):
    env = {k: v for k, v in os.environ.items() if not (k.startswith("TACHO_") and k != "TACHO_BUILD_ROOT") and k != "NO_COLOR"}
    env["TACHO_CONFIG"] = "/nonexistent/tacho.conf"  # never the person's own
    env["TACHO_HISTORY"] = HISTORY
    env.update(extra)
    return env


class Result:
    def __init__(self, code, out, err):
        self.code, self.raw, self.out, self.err = code, out, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return "exit %d\n--- stdout\n%s\n--- stderr\n%s" % (self.code, self.out, self.err)


def run(*arguments, stdin=b"", env=None):
    p = subprocess.run([CLI, *map(str, arguments)], input=stdin, capture_output=True, timeout=LIMIT_S,
                       env=env or environment())
    return Result(p.returncode, p.stdout, p.stderr)


def expect(result, code):
    assert result.code == code, "wanted exit %d\n%r" % (code, result)
    return result


def wait_until(condition, what):
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, "waited in vain for " + what
        select.select([], [], [], 0.005)


class Simulator:
    """tacho-cli simulate in a process of its own."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([CLI, "simulate", "--json", *map(str, arguments)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment())
        line = self.process.stdout.readline()
        self.hello = json.loads(line)
        self.url = self.hello["url"]
        self.err = None

    def is_idle(self):
        """Whether it has noticed the end of every generation, a client's leaving included."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(self.url + "/__tacho/counters", timeout=LIMIT_S) as reply:
            return json.load(reply)["active"] == 0

    def stop(self):
        """Ends it and gives what it counted, by name."""
        if self.err is None:
            self.process.send_signal(signal.SIGTERM)
            _, err = self.process.communicate(timeout=LIMIT_S)
            self.err = err.decode()
            assert self.process.returncode == 0, (self.process.returncode, self.err)
        return {name: int(n) for n, name in re.findall(
            r"(\d+) (requests|connections|generations|completed|aborted|output tokens|prompt tokens|faults)", self.err)}

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.err is None:
            self.process.kill()
            self.process.communicate()


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=LIMIT_S)


@contextlib.contextmanager
def certificate():
    """A certificate of this machine that vouches for itself, and its key."""
    with tempfile.TemporaryDirectory() as folder:
        cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert,
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        yield cert, key


def streams(chunks, extra=()):
    """An SSE body of chat chunks with these texts."""
    out = b""
    for text in chunks:
        out += b"data: " + json.dumps({"id": "r", "object": "chat.completion.chunk", "model": "m", "choices": [
            {"index": 0, "delta": {"content": text}, "finish_reason": None}]}).encode() + b"\n\n"
    for document in extra:
        out += b"data: " + json.dumps(document).encode() + b"\n\n"
    return out + b"data: [DONE]\n\n"


@contextlib.contextmanager
def openai_server(body, status=200, seen=None, models=("m",)):
    """A small OpenAI-compatible server that answers every chat with `body`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def reply(self, code, kind, data):
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            if seen is not None:
                seen.append((self.path, dict(self.headers)))
            if self.path == "/v1/models":
                self.reply(200, "application/json", json.dumps(
                    {"object": "list", "data": [{"id": i, "object": "model", "owned_by": "o"} for i in models]}).encode())
            else:
                self.reply(404, "application/json", b'{"error":{"message":"no such route"}}')

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if seen is not None:
                seen.append((self.path, dict(self.headers)))
            self.reply(status, "text/event-stream" if status == 200 else "application/json", body)

        def log_message(self, *unused):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield "http://127.0.0.1:%d" % server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def forgetful_server(body):
    """Promises to keep connections, and closes each after its reply without a word, as llama-server does."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threads = []

    def read_request(stream):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return None
            head += line
        length = re.search(rb"(?i)content-length: (\d+)", head)
        stream.read(int(length.group(1)) if length else 0)
        return head

    def serve(connection):
        with connection, connection.makefile("rwb") as stream:
            head = read_request(stream)
            if head is None:
                return
            listing = json.dumps({"object": "list", "data": [{"id": "m", "object": "model"}]}).encode()
            kind, data = ("text/event-stream", body) if head.startswith(b"POST") else ("application/json", listing)
            found = head.startswith(b"POST") or head.startswith(b"GET /v1/models ")
            stream.write(b"HTTP/1.1 %s\r\nContent-Type: %s\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: %d\r\n\r\n"
                         % (b"200 OK" if found else b"404 Not Found", kind.encode(), len(data)) + data)
            stream.flush()

    def accept():
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield "http://127.0.0.1:%d" % listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in [acceptor, *threads]:
            thread.join(LIMIT_S)


def run_on_terminal(*arguments, env=None, send=None, when=None):
    """Runs with all three descriptors on a pseudo-terminal; gives the exit status and the bytes.
    `send` is typed once `when` (bytes) was seen."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(CLI, [CLI, *map(str, arguments)], env or environment(TERM="xterm"))
    out = b""
    end = time.monotonic() + LIMIT_S
    while True:
        assert time.monotonic() < end, out
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        out += data
        if send and when in out:
            os.write(fd, send)
            send = None
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), out
