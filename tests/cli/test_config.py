# SPDX-License-Identifier: GPL-3.0-or-later
"""config and profiles: one file, what stands above what, and keys that are nowhere to be seen."""
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import tempfile
import threading

from harness import CLI, TINY, Simulator, Skip, environment, expect, main, openai_server, run, run_on_terminal, streams, test

KEY = "sk-planted-5d41402abc4b"


class Home:
    """A configuration folder of its own."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="tacho-test-")
        self.path = os.path.join(self.dir, "config", "tacho", "tacho.conf")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.dir)

    def env(self, **extra):
        env = environment(XDG_CONFIG_HOME=os.path.join(self.dir, "config"),
                          DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent/bus", **extra)
        del env["TACHO_CONFIG"]
        return env

    def run(self, *arguments, stdin=b"", **extra):
        return run(*arguments, stdin=stdin, env=self.env(**extra))

    def write(self, text):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "w") as stream:
            stream.write(text)

    def read(self):
        with open(self.path) as stream:
            return stream.read()

    def value(self, key, *flags, group="inference", **extra):
        """Value and origin of one key."""
        document = expect(self.run("config", "show", "--json", *flags, **extra), 0).json()
        found = [v for v in document["values"] if v["group"] == group and v["key"] == key]
        return (found[0]["value"], found[0]["origin"]) if found else None


@test
def nothing_is_made_until_something_is_saved():
    with Home() as home:
        expect(home.run("config", "show"), 0)
        expect(home.run("config", "check"), 0)
        expect(home.run("profiles"), 0)
        assert expect(home.run("config", "path"), 0).out == home.path + "\n"
        expect(home.run("config", "set", "inference", "temperature", "hot"), 2)
        assert os.listdir(home.dir) == []
        expect(home.run("config", "set", "inference", "temperature", "0.5"), 0)
        assert stat.S_IMODE(os.stat(home.path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.dirname(home.path)).st_mode) == 0o700


@test
def flags_stand_above_the_environment_above_the_file_above_defaults():
    with Home() as home:
        assert home.value("timeout-idle") == ("60", "default")
        home.write("[inference]\ntimeout-idle=10\n")
        assert home.value("timeout-idle") == ("10", "file")
        assert home.value("timeout-idle", TACHO_TIMEOUT_IDLE="20") == ("20", "environment")
        assert home.value("timeout-idle", "--timeout-idle", "30s", TACHO_TIMEOUT_IDLE="20") == ("30", "flag")
        # A variable that is not allowed counts for nothing, and is said.
        assert home.value("timeout-idle", TACHO_TIMEOUT_IDLE="soon") == ("10", "file")
        r = expect(home.run("config", "check", TACHO_TIMEOUT_IDLE="soon"), 1)
        assert "TACHO_TIMEOUT_IDLE = soon: seconds from 0 to 604800" in r.err
        assert "environment" in expect(home.run("config", "show", "--origin", TACHO_TIMEOUT_IDLE="20"), 0).out


@test
def mistakes_name_file_group_key_value_and_what_is_allowed():
    with Home() as home:
        home.write("[inference]\ntemperature=9\nmax-tokens=none\nshade=blue\n\n[profile x]\nurl=ftp://h\n")
        r = expect(home.run("config", "check"), 1)
        for words in (home.path + ": [inference] temperature = 9: a number from 0 to 2 is allowed",
                      "[inference] max-tokens = none: a whole number", "[inference] shade: there is no such key",
                      "[profile x] cannot be used"):
            assert words in r.err, (words, r)
        assert len(expect(home.run("config", "check", "--json"), 1).json()["warnings"]) == 4
        for arguments, words in (
                (("config", "set", "inference", "temperature", "3"), "[inference] temperature = 3: a number from 0 to 2"),
                (("config", "set", "inference", "temp", "1"), "has no key “temp”; it has: model"),
                (("config", "set", "nowhere", "temp", "1"), "no group “nowhere”"),
                (("config", "set", "inference", "temperature"), "GROUP KEY VALUE"),
                (("config", "shwo"), "Did you mean “show”"),
                (("config", "show", "x"), "takes no arguments"),
                (("profiles", "add", "x"), "--url URL"),
                (("profiles", "add"), "NAME of one profile"),
                (("profiles", "add", "x", "--url", "ftp://x"), "cannot be used"),
                (("profiles", "add", "x", "--url", "http://h", "--order", "y"), "grpc-first or rest-first"),
                (("profiles", "add", "x", "--url", "http://h", "--protocol", "hybrid"), "gRPC side"),
                (("profiles", "add", "x", "--url", "http://h", "--pin", "12"), "64 hexadecimal digits"),
                (("profiles", "add", "x", "--url", "http://h", "--api-key", "--api-key-env", "A"), "Give one of"),
                (("profiles", "add", "a\nb", "--url", "http://h"), "one line"),
                (("probe", "--profile", "nome"), "there is no profile “nome”"),
                (("probe", "--profile", "x"), "cannot be used: see tacho-cli config check"),
                (("probe", "--profile", "x", "--url", "sim:"), "not both")):
            r = expect(home.run(*arguments), 2)
            assert words in r.err, (arguments, r)
        expect(home.run("config", "unset", "inference", "nothing"), 1)
        expect(home.run("config", "unset", "inference", "shade"), 0)
        expect(home.run("config", "set", "inference", "top-p", "0.9"), 0)
        assert home.read() == ("[inference]\ntemperature=9\nmax-tokens=none\n\ntop-p=0.9\n\n[profile x]\nurl=ftp://h\n"
                               ), home.read()


@test
def a_broken_file_is_set_aside_and_stops_nothing():
    with Home() as home:
        home.write("not a key file\n")
        r = expect(home.run("prompt", "--url", "sim:", "-m", TINY, "Hello"), 0)
        assert "cannot be read" in r.err and home.read() == "not a key file\n"
        r = expect(home.run("profiles", "add", "a", "--url", "sim:"), 0)
        assert "set aside as" in r.err
        aside = [n for n in os.listdir(os.path.dirname(home.path)) if ".broken-" in n]
        assert len(aside) == 1
        with open(os.path.join(os.path.dirname(home.path), aside[0])) as stream:
            assert stream.read() == "not a key file\n"
        expect(home.run("config", "check"), 0)


@test
def profiles_are_added_used_edited_and_removed():
    with Home() as home, openai_server(streams(["Hi"])) as url:
        expect(home.run("profiles", "add", "Büro [1]", "--url", url, "--api", "openai", "--default"), 0)
        expect(home.run("profiles", "add", "other", "--url", "sim:", "--model", TINY, "--timeout-total", "1m"), 0)
        expect(home.run("profiles", "add", "other", "--url", "sim:"), 2)
        assert expect(home.run("profiles", "default"), 0).out == "Büro [1]\n"
        assert expect(home.run("probe", "--json"), 0).json()["url"] == url
        assert expect(home.run("prompt", "Hello"), 0).out == "Hi\n"
        assert expect(home.run("probe", "--json", TACHO_PROFILE="other"), 0).json()["url"] == "sim:"
        assert expect(home.run("probe", "--json", "--profile", "other"), 0).json()["url"] == "sim:"
        assert expect(home.run("probe", "--json", TACHO_URL="sim:fast"), 0).json()["url"] == "sim:fast"
        assert expect(home.run("prompt", "--profile", "other", "--json", "Hello"), 0).json()["model"] == TINY
        r = expect(home.run("profiles", "edit", "other", "--name", "new", "--url", url, "--model", ""), 0)
        shown = expect(home.run("profiles", "show", "new", "--json"), 0).json()
        assert shown["entry"]["url"] == url and shown["entry"]["timeout-total"] == "60" and "model" not in shown["entry"]
        assert [p["name"] for p in expect(home.run("profiles", "list", "--json"), 0).json()["profiles"]] == ["Büro [1]", "new"]
        steps = expect(home.run("profiles", "test", "new", "--json"), 0).json()
        assert steps["ok"] and [s["step"] for s in steps["steps"]] == ["profile", "key", "address", "probe", "models"]
        expect(home.run("profiles", "remove", "Büro [1]"), 0)
        assert expect(home.run("profiles", "default"), 0).out == ""
        expect(home.run("profiles", "remove", "Büro [1]"), 1)
        expect(home.run("probe"), 2)
    with Home() as home:
        expect(home.run("profiles", "add", "gone", "--url", "http://127.0.0.1:9"), 0)
        r = expect(home.run("profiles", "test", "gone", "--json"), 3)
        assert [s["ok"] for s in r.json()["steps"]] == [True, True, True, False]


@test
def defaults_reach_the_request_and_flags_stand_above():
    bodies = []
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def reply(self, kind, data):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            self.reply("application/json", json.dumps({"object": "list", "data": [
                {"id": "m", "object": "model"}, {"id": "big", "object": "model"}]}).encode())

        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.reply("text/event-stream", streams(["Hi"]))

        def log_message(self, *unused):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    url = "http://127.0.0.1:%d" % server.server_address[1]
    try:
        with Home() as home:
            home.write("[inference]\nmodel=m\ntemperature=0.25\nmax-tokens=100\nsystem-prompt=Be brief.\\nVery.\n"
                       "[model big]\ntemperature=1.5\ncontext=50\n[profile p]\nurl=%s\napi=openai\n" % url)
            def ask(*arguments, **extra):
                expect(home.run("prompt", "--profile", "p", *arguments, "Hello", **extra), 0)
                return bodies.pop()
            body = ask()
            assert body["model"] == "m" and body["temperature"] == 0.25, body
            assert body["messages"] == [{"role": "system", "content": "Be brief.\nVery."}, {"role": "user", "content": "Hello"}]
            assert 100 in (body.get("max_tokens"), body.get("max_completion_tokens"))
            body = ask("-m", "big")
            assert body["temperature"] == 1.5 and 50 in (body.get("max_tokens"), body.get("max_completion_tokens"))
            assert ask("-m", "big", TACHO_TEMPERATURE="1")["temperature"] == 1
            body = ask("--temperature", "0", "--system", "", TACHO_TEMPERATURE="1", TACHO_MODEL="big")
            assert body["temperature"] == 0 and body["model"] == "big" and len(body["messages"]) == 1
            r = home.run("prompt", "--url", "sim:", "--model", TINY, "x", TACHO_MODEL="m")
            expect(r, 0)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tree_text(folder):
    text = b""
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as stream:
                text += stream.read()
    return text


@test
def a_key_is_in_no_file_no_output_and_no_argument_list():
    seen = []
    with Home() as home, openai_server(streams(["Hi"]), seen=seen) as url:
        outputs = []
        expect(home.run("profiles", "add", "p", "--url", url, "--api", "openai", "--api-key-env", "MY_KEY"), 0)
        for arguments in (("probe",), ("probe", "--json"), ("prompt", "x"), ("profiles", "test", "p"), ("config", "show"),
                          ("profiles", "show", "p"), ("profiles", "list", "--json"), ("config", "check")):
            arguments += () if arguments[0] in ("profiles", "config") else ("--profile", "p")
            outputs.append(expect(home.run(*arguments, MY_KEY=KEY), 0))
        assert any(headers.get("Authorization") == "Bearer " + KEY for _, headers in seen)
        # To another address it does not go, even under the profile's name.
        seen.clear()
        with openai_server(streams(["Hi"]), seen=seen) as other:
            expect(home.run("profiles", "edit", "p", "--api-key-env", ""), 0)
            home.write(home.read() + "headers=X-Api-Key: %s;\n" % KEY)
            outputs += [home.run("probe", "--profile", "p"), home.run("config", "show", "--origin"), home.run("config", "check")]
            assert outputs[-3].code == 2 and outputs[-1].code == 1
            home.write("[profile p]\nurl=%s\napi-key-env=%s\n[profile q]\nurl=http://u:%s@h\nproxy=http://u:%s@h:1\n" % (
                url, KEY, KEY, KEY))
            outputs += [home.run("config", "show"), home.run("config", "check"), home.run("profiles", "show", "p")]
            home.write("[profile p]\nurl=%s\napi=openai\napi-key-env=MY_KEY\n" % url)
            r = expect(home.run("probe", "--profile", "p", "--grpc", other[7:], "--protocol", "rest", MY_KEY=KEY), 0)
            assert "another address" in r.err
            outputs.append(r)
            assert not any("Authorization" in headers for _, headers in seen)
        # No keyring: refused, and not written anywhere instead.
        r = home.run("profiles", "edit", "p", "--api-key", stdin=(KEY + "\n").encode())
        assert r.code == 1 and "keyring" in r.err, r
        outputs.append(r)
        outputs.append(expect(home.run("config", "set", "profile p", "api-key", KEY), 2))
        outputs.append(expect(home.run("profiles", "edit", "p", "--header", "Authorization: " + KEY), 2))
        for r in outputs:
            assert KEY not in r.out and KEY not in r.err, r
        assert KEY not in home.read()


@test
def a_key_is_typed_without_echo():
    with Home() as home:
        home.write("[profile p]\nurl=sim:\napi-key-in-keyring=true\n")
        code, out = run_on_terminal("probe", "--profile", "p", env=home.env(TERM="xterm"),
                                    send=(KEY + "\n").encode(), when=b"not shown")
        assert code == 0 and KEY.encode() not in out, out
        assert b"keyring" in out
        code, out = run_on_terminal("probe", "--profile", "p", env=home.env(TERM="xterm"), send=b"\x03", when=b"not shown")
        assert code == 130, (code, out)
        assert KEY.encode() not in tree_text(home.dir)


@test
def keys_live_in_a_real_keyring():
    if not shutil.which("gnome-keyring-daemon") or not shutil.which("dbus-run-session"):
        raise Skip("gnome-keyring-daemon or dbus-run-session is not installed")
    seen = []
    with Home() as home, openai_server(streams(["Hi"]), seen=seen) as url:
        script = r"""
set -e
printf test | G_DEBUG= gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
printf '%s\n' "$PLANTED" | "$0" profiles add cloud --url "$1" --api openai --api-key
unset PLANTED
"$0" probe --profile cloud >/dev/null
"$0" profiles edit cloud --name moved
"$0" probe --profile moved >/dev/null
"$0" profiles show moved
"$0" probe --profile moved --url sim: 2>/dev/null || true
"$0" profiles edit moved --url "$1:1" 2>/dev/null || "$0" profiles edit moved --url sim:
"$0" profiles show moved
"$0" profiles remove moved
"""
        env = home.env(PLANTED=KEY, HOME=home.dir, XDG_DATA_HOME=os.path.join(home.dir, "data"), XDG_RUNTIME_DIR=home.dir)
        for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"):
            env.pop(name, None)
        p = subprocess.run(["dbus-run-session", "--", "bash", "-c", script, CLI, url], env=env, capture_output=True, timeout=60)
        out = p.stdout.decode() + p.stderr.decode()
        assert p.returncode == 0, out
        assert KEY not in out
        with_key = [path for path, headers in seen if headers.get("Authorization") == "Bearer " + KEY]
        assert len(with_key) >= 2 and len(with_key) == len(seen), seen
        assert "keyring" in out and "is forgotten" in out, out
        assert KEY.encode() not in tree_text(os.path.join(home.dir, "config"))


@test
def a_kill_at_any_moment_leaves_the_old_file_or_the_new_one():
    chance = random.Random(7)
    with Home() as home:
        filler = "".join("[model m%d]\nname=%s\n" % (i, "x" * 500) for i in range(200))
        home.write("[inference]\nmax-tokens=1\n" + filler)
        last = 1
        killed = 0
        for number in range(2, 62):
            p = subprocess.Popen([CLI, "config", "set", "inference", "max-tokens", str(number)], env=home.env(),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                p.wait(chance.uniform(0.001, 0.02))
            except subprocess.TimeoutExpired:
                p.send_signal(signal.SIGKILL)
                p.wait()
                killed += 1
            text = home.read()
            found = int(text.split("max-tokens=")[1].split("\n")[0])
            assert found in (last, number), (found, last, number)
            assert text.endswith("name=" + "x" * 500 + "\n") and text.count("[model m") == 200
            last = found
        assert killed > 0
        expect(home.run("config", "set", "inference", "max-tokens", "99"), 0)
        names = sorted(os.listdir(os.path.dirname(home.path)))
        assert names == ["tacho.conf", "tacho.conf.bak"], names


@test
def two_writers_lose_nothing():
    with Home() as home:
        running = [subprocess.Popen([CLI, "profiles", "add", "p%d" % i, "--url", "sim:"], env=home.env(),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for i in range(12)]
        for p in running:
            _, err = p.communicate(timeout=60)
            assert p.returncode == 0, err
        assert len(expect(home.run("profiles", "list", "--json"), 0).json()["profiles"]) == 12


main()
