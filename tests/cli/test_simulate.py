# SPDX-License-Identifier: GPL-3.0-or-later
"""simulate."""
import signal
import subprocess

from harness import CLI, LIMIT_S, Simulator, TINY, environment, expect, main, run, test


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


main()
