# SPDX-License-Identifier: GPL-3.0-or-later
"""Help, mistakes, exit statuses 2 and 3."""
import os
import socket
import subprocess

from harness import CLI, Skip, environment, expect, main, run, test

COMMANDS = ("probe", "models", "prompt", "bench", "sweep", "compare", "analyze", "history", "merge", "profiles", "config", "simulate")


@test
def help_names_every_command_and_shows_examples():
    r = expect(run("--help"), 0)
    for command in COMMANDS:
        assert "\n  %s " % command in r.out, command
        own = expect(run(command, "--help"), 0)
        assert own.out.startswith("Usage: tacho-cli " + command) and "Examples:" in own.out
        assert own.err == ""
        assert all(len(line) <= 110 for line in own.out.splitlines()), own.out


@test
def version_is_one_line():
    assert expect(run("--version"), 0).out.startswith("tacho-cli ")


@test
def mistakes_are_exit_2_and_say_what_was_meant():
    for arguments, words in (
            ([], "Which command"),
            (["prob"], "Did you mean “probe”"),
            (["zzzzzz"], "Unknown command"),
            (["sweep", "--url", "sim:"], "what to sweep over"),
            (["sweep", "--url", "sim:", "--concurrency", "4,2"], "--concurrency: “4,2”"),
            (["sweep", "--url", "sim:", "--rate", "1:64:2"], "--rate: “1:64:2”"),
            (["models", "pull", "--url", "sim:"], "needs the ID"),
            (["models", "delete", "--url", "sim:"], "needs the ID"),
            (["models", "show", "x", "--from", "/a", "--url", "sim:"], "--from goes with"),
            (["bench", "--rate", "0", "--url", "sim:"], "--rate: “0”"),
            (["bench", "--arrival", "poisson", "--url", "sim:"], "--arrival needs --rate"),
            (["bench", "--rate", "3", "--arrival", "weekly", "--url", "sim:"], "--arrival: “weekly”"),
            (["bench", "--url", "sim:", "--prompts", "/nowhere/p.jsonl"], "/nowhere/p.jsonl"),
            (["bench", "--url", "sim:", "--replay"], "--replay needs --prompts"),
            (["bench", "--url", "sim:", "--until", "p95(ttft_ms)"], "--until: “p95(ttft_ms)”"),
            (["bench", "--url", "sim:", "--cancel", "10"], "--cancel: “10”"),
            (["bench", "--url", "sim:", "--worker", "4/4"], "--worker: “4/4”"),
            (["bench", "--url", "sim:", "--start-at", "1970-01-01T00:00:00Z"], "has passed"),
            (["bench", "--url", "sim:", "--turns", "2", "--rate", "3"], "closed loop"),
            (["bench", "--url", "sim:", "--requests", "0"], "--requests: “0”"),
            (["bench", "--url", "sim:", "--concurrency", "999999"], "--concurrency"),
            (["bench", "--url", "sim:", "--format", "vllm", "--json"], "cannot both go"),
            (["prompt", "--max-token", "3"], "Did you mean --max-tokens"),
            (["--urll", "sim:", "probe"], "Did you mean --url"),
            (["probe", "--url"], "--url needs a value"),
            (["probe", "--json=1", "--url", "sim:"], "takes no value"),
            (["probe", "x", "--url", "sim:"], "takes no arguments"),
            (["models", "lost", "--url", "sim:"], "Did you mean “list”"),
            (["models", "load", "--url", "sim:"], "needs the ID"),
            (["models", "list", "a", "--url", "sim:"], "one argument too many"),
            (["models", "load", "x", "--all", "--url", "sim:"], "--all goes with"),
            (["probe"], "--url sim:"),
            (["probe", "--url", "sim:nothing"], "nothing"),
            (["probe", "--url", "ftp://x"], "--url"),
            (["probe", "--url", "sim:", "--api", "martian"], "martian"),
            (["probe", "--url", "sim:", "--timeout-first", "soon"], "--timeout-first: “soon”"),
            (["probe", "--url", "sim:", "--api-key-env", "NOT_THERE_AT_ALL"], "NOT_THERE_AT_ALL"),
            (["probe", "--url", "sim:", "--header", "no colon"], "--header"),
            (["probe", "--url", "sim:", "--ca", "/nowhere/ca.pem"], "/nowhere/ca.pem"),
            (["prompt", "--url", "sim:", "--temperature", "9", "x"], "--temperature: “9”"),
            (["prompt", "--url", "sim:", "--max-tokens", "0", "x"], "from 1"),
            (["prompt", "--url", "sim:"], "empty"),
            (["bench", "--url", "sim:", "--concurrency", "x"], "--concurrency: “x”"),
            (["bench", "--url", "sim:", "--requests", "1", "--duration", "1"], "not both"),
            (["bench", "--url", "sim:", "--prompt-tokens", "9:2"], "MIN:MAX"),
            (["bench", "--url", "sim:", "--slo", "nonsense"], "--slo"),
            (["bench", "--url", "sim:", "--fail-on", "p98(ttft_ms)<1"], "--fail-on: “p98"),
            (["bench", "--url", "sim:", "--out", "/nowhere/x.json"], "--out"),
            (["bench", "--url", "sim:", "--records", "/nowhere/x.jsonl"], "--records"),
            (["bench", "--url", "sim:", "--format", "xml"], "--format: “xml”"),
            (["simulate", "--port", "99999"], "--port: “99999”"),
            (["simulate", "--fault", "explode"], "--fault"),
    ):
        r = expect(run(*arguments), 2)
        assert words in r.err, (arguments, words, r)
        assert r.out == "" and r.err.startswith("tacho-cli: ") and r.err.count("\n") == 1, (arguments, r)


@test
def nobody_there_is_exit_3():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # bound, not listening: refused
        url = "http://127.0.0.1:%d" % s.getsockname()[1]
        for command in (["probe"], ["models"], ["prompt", "-m", "x", "hello"], ["bench", "-m", "x"]):
            r = expect(run(*command, "--url", url), 3)
            assert r.out == "" and url.rsplit(":", 1)[1] in r.err, r


@test
def common_options_may_stand_before_the_command_and_the_url_in_the_environment():
    assert expect(run("--url", "sim:", "--json", "probe"), 0).json()["simulated"] is True
    assert expect(run("--url=sim:", "probe", "--json"), 0).json()["simulated"] is True
    assert expect(run("probe", "--json", env=environment(TACHO_URL="sim:")), 0).json()["url"] == "sim:"
    r = expect(run("probe", "--json", "--url", "sim:openai", env=environment(TACHO_URL="sim:")), 0)
    assert r.json()["url"] == "sim:openai"


@test
def a_closed_descriptor_is_not_given_to_a_socket():
    p = subprocess.run(["/bin/sh", "-c", 'exec "$0" models --url sim: >&- 2>&- <&-', CLI], timeout=60)
    assert p.returncode == 0, p.returncode


@test
def a_reader_that_goes_away_ends_it_quietly():
    read_end, write_end = os.pipe()
    os.close(read_end)
    for arguments in (["models"], ["prompt", "-m", "sim-tiny-1b-q8_0", "hello"]):
        p = subprocess.run([CLI, *arguments, "--url", "sim:"], stdout=write_end, stderr=subprocess.PIPE,
                           stdin=subprocess.DEVNULL, timeout=60)
        assert p.returncode == 0 and p.stderr == b"", (p.returncode, p.stderr)
    os.close(write_end)


@test
def a_full_disk_is_a_failure():
    with open("/dev/full", "wb") as full:
        p = subprocess.run([CLI, "models", "--url", "sim:"], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert p.returncode == 1 and b"standard output" in p.stderr, p


@test
def the_completion_completes():
    script = os.path.join(os.environ["TACHO_SOURCE_ROOT"], "data/tacho-cli.bash")
    ask = """source "$0"; shopt -s extglob
        ask () { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tacho_cli; echo "${COMPREPLY[*]}"; }
        ask tacho-cli pro; ask tacho-cli bench --conc; ask tacho-cli --url sim : mod; ask tacho-cli models un
        ask tacho-cli probe --api ll; ask tacho-cli --url http : //127.0.0.1 : 80 bench --fail"""
    p = subprocess.run(["bash", "-c", ask, script], capture_output=True, text=True, timeout=60)
    assert p.stderr == "", p.stderr
    assert p.stdout.splitlines() == ["probe prompt profiles", "--concurrency", "models", "unload", "llamacpp",
                                     "--fail-on"], p.stdout


@test
def the_completion_knows_the_options_of_the_help():
    script = os.path.join(os.environ["TACHO_SOURCE_ROOT"], "data/tacho-cli.bash")
    for command in COMMANDS:
        text = expect(run(command, "--help"), 0).out
        wanted = {w for line in text.splitlines() if line.startswith("  ") and "tacho-cli" not in line
                  for w in line.split()[:2] if w.startswith("--")}
        p = subprocess.run(["bash", "-c", 'source "$0"; COMP_WORDS=(tacho-cli "$1" --); COMP_CWORD=2; _tacho_cli; '
                            'echo "${COMPREPLY[*]}"', script, command], capture_output=True, text=True, timeout=60)
        assert wanted - set(p.stdout.split()) == set(), (command, wanted - set(p.stdout.split()))


@test
def the_manual_has_no_mistakes_and_all_options():
    page = os.path.join(os.environ["TACHO_SOURCE_ROOT"], "data/tacho-cli.1")
    try:
        p = subprocess.run(["groff", "-ww", "-man", "-Tutf8", page], capture_output=True, timeout=60)
    except FileNotFoundError:
        raise Skip("groff is not installed")
    assert p.returncode == 0 and p.stderr == b"", p.stderr
    with open(page, encoding="utf-8") as f:
        source = f.read().replace("\\-", "-")
    for command in COMMANDS:
        for line in expect(run(command, "--help"), 0).out.splitlines():
            for word in line.split()[:2]:
                if line.startswith("  ") and word.startswith("--") and len(word) > 2:
                    assert word in source, (command, word)


main()
