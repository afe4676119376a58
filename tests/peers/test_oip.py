# SPDX-License-Identifier: GPL-3.0-or-later
"""The Open Inference Protocol over gRPC against grpcio's server: Triton-shaped and KServe-shaped."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))

from harness import LIMIT_S, expect, main, run, test  # noqa: E402
from oip_server import Server  # noqa: E402

CLIENT = os.path.join(os.environ["TACHO_BUILD_ROOT"], "tests/peers/oip-client")


def client(server, *arguments, code=0):
    shape = "kserve" if server.kserve else "triton"
    p = subprocess.run([CLIENT, "127.0.0.1:%d" % server.port, shape, *arguments], capture_output=True, timeout=LIMIT_S)
    out = p.stdout.decode()
    assert p.returncode == code, (p.returncode, out, p.stderr.decode())
    return out.splitlines()


@test
def triton_repository():
    with Server() as server:
        assert client(server, "health") == ["health 0", "ok"]
        assert client(server, "list") == ["model vllm loaded", "model plain loaded", "model image loaded",
                                          "model late unloaded"]
        assert client(server, "load", "late") == ["ok"]
        assert "model late loaded" in client(server, "list")
        assert client(server, "unload", "late") == ["ok"]
        assert "model late unloaded" in client(server, "list")
        assert client(server, "show", "vllm") == ["family peer memory 123456789"]
        assert "no such model" in client(server, "load", "other", code=1)[0]


@test
def triton_streams():
    with Server() as server:
        call = "call /inference.GRPCInferenceService/ModelStreamInfer"
        assert client(server, "stream", "vllm", "grüße") == [
            call, "text echo: ", "tokens 1", "text grüße", "finish stop", "tokens 2", "done"]
        # A decoupled model that is asked for one answer; a plain one, streamed and not.
        assert client(server, "whole", "vllm", "hi") == [call, "text echo: hi", "finish stop", "tokens 1", "done"]
        assert client(server, "stream", "plain", "hi") == [call, "text echo: hi", "done"]
        assert client(server, "whole", "plain", "hi") == [
            "call /inference.GRPCInferenceService/ModelInfer", "whole echo: hi"]
        assert server.inferred == 4


@test
def triton_faults():
    with Server() as server:
        *before, last = client(server, "stream", "vllm", "fault:error", code=1)
        assert "text echo: " in before and "out of memory" in last, (before, last)
        *before, last = client(server, "stream", "vllm", "fault:abort", code=1)
        assert "text echo: " in before and "INTERNAL: the backend died" in last, (before, last)
        *before, last = client(server, "stream", "vllm", "fault:cut", code=1)
        assert "text echo: " in before and "broke off" in last, (before, last)
        last = client(server, "whole", "plain", "fault:abort", code=1)[-1]
        assert "INTERNAL: the backend died" in last, last
        last = client(server, "stream", "image", "hi", code=1)[-1]
        assert "takes no prompt: its inputs are image FP32 [3,224,224]" in last, last
        last = client(server, "stream", "other", "hi", code=1)[-1]
        assert "knows no model" in last and "NOT_FOUND" in last, last
        assert server.inferred == 4


@test
def kserve():
    with Server(kserve=True) as server:
        assert client(server, "health") == ["health 0", "ok"]
        assert "cannot list models" in client(server, "list", code=1)[0]
        assert client(server, "load", "late") == ["ok"]
        assert "late" in server.loaded
        assert client(server, "show", "late") == ["family peer memory 0"]
        call = "call /inference.GRPCInferenceService/ModelInfer"
        assert client(server, "whole", "plain", "hi") == [call, "whole echo: hi"]
        assert client(server, "stream", "plain", "hi") == [call, "text echo: hi", "done"]
        assert client(server, "unload", "late") == ["ok"]
        assert "late" not in server.loaded


@test
def triton_by_the_command_line():
    with Server() as server:
        target = ["--grpc", "127.0.0.1:%d" % server.port]
        probe = expect(run("probe", *target, "--json"), 0).json()
        assert probe["api"] == "oip" and probe["endpoints"][0]["protocol"] == "grpc", probe
        assert not probe["simulated"]
        models = expect(run("models", *target, "--json"), 0).json()
        assert [m["id"] for m in models] == ["image", "late", "plain", "vllm"], models
        expect(run("models", "load", "late", *target), 0)
        assert "late" in server.loaded
        expect(run("models", "unload", "late", *target), 0)
        reply = expect(run("prompt", *target, "-m", "vllm", "--json", "grüße"), 0).json()
        assert reply["text"] == "echo: grüße" and reply["output_tokens"] == 2, reply
        assert reply["finish_reason"] == "stop" and len(reply["attempts"]) == 1
        cut = expect(run("prompt", *target, "-m", "vllm", "--json", "fault:cut"), 1).json()
        assert cut["status"] == "truncated" and cut["text"] == "echo: ", cut
        bench = expect(run("bench", *target, "-m", "vllm", "-n", "12", "-c", "3", "--warmup", "0", "--json"), 0).json()
        assert bench["counts"]["ok"] == 12 and bench["target"]["protocol"] == "grpc", bench["errors"]
        assert bench["latency"]["ttft_ms"]["n"] == 12 and bench["latency"]["ttft_ms"]["min"] > 0
        died = expect(run("prompt", *target, "-m", "vllm", "--json", "fault:abort"), 1).json()
        assert died["error"] == "grpc" and "the backend died" in died["message"], died
        assert server.inferred == 3 + 12
    gone = expect(run("prompt", *target, "-m", "vllm", "hello"), 3)
    assert "Nothing listens" in gone.err, gone


@test
def kserve_by_the_command_line():
    with Server(kserve=True) as server:
        target = ["--grpc", "127.0.0.1:%d" % server.port]
        assert expect(run("prompt", *target, "-m", "plain", "hi"), 0).out == "echo: hi\n"
        unnamed = expect(run("prompt", *target, "hi"), 2)
        assert "-m" in unnamed.err, unnamed
        assert "cannot list models" in expect(run("models", *target), 1).err
        expect(run("models", "load", "late", *target), 0)
        assert "late" in server.loaded
        assert server.inferred == 1


main()
