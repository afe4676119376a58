# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated server's gRPC front, asked by grpcio with a protobuf codec of its own: what others would see of it."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import urllib.request

import grpc

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "cli"))

from harness import LIMIT_S, Simulator, TINY, main, test, wait_until  # noqa: E402
from oip_server import decode, first, integer, raw_text, tensor, text  # noqa: E402

OIP = "/inference.GRPCInferenceService/"
MCP = "/mcp.ryzanstein.InferenceService/"
HEALTH = "/grpc.health.v1.Health/"


class Front:
    """A simulator of a family, its HTTP side, and a channel to its gRPC side."""

    def __init__(self, family, *arguments, credentials=None):
        self.simulator = Simulator("--api", family, "--grpc-port", 0, *arguments)
        self.url = next(f["url"] for f in self.simulator.hello["fronts"] if f["url"].startswith("grpc"))
        self.http = self.simulator.url
        self.target = self.url.split("//")[1]
        self.credentials = credentials
        self.channel = self.connect()

    def connect(self):
        options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
        if self.credentials:
            return grpc.secure_channel(self.target, self.credentials, options)
        return grpc.insecure_channel(self.target, options)

    def reconnect(self):
        self.channel.close()
        self.channel = self.connect()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.channel.close()
        self.simulator.stop()

    def page(self, name):
        with urllib.request.urlopen(self.http + "/__tacho/" + name, timeout=LIMIT_S) as reply:
            return json.load(reply)

    def counters(self):
        return self.page("counters")

    def unary(self, method, request=b"", **keywords):
        keywords.setdefault("timeout", LIMIT_S)
        return decode(self.channel.unary_unary(method)(request, **keywords))

    def server_stream(self, method, request=b"", **keywords):
        keywords.setdefault("timeout", LIMIT_S)
        return self.channel.unary_stream(method)(request, **keywords)

    def stream(self, *requests, **keywords):
        keywords.setdefault("timeout", LIMIT_S)
        return self.channel.stream_stream(OIP + "ModelStreamInfer")(iter(requests), **keywords)

    def fails(self, code, method, request=b"", **keywords):
        try:
            self.unary(method, request, **keywords)
        except grpc.RpcError as error:
            assert error.code() == code, (error.code(), error.details())
            return error.details()
        raise AssertionError("%s is OK, not %s" % (method, code))


def infer_request(n=8, stream=True, model=TINY, request_id="r1", empty_final=False):
    sampling = json.dumps({"max_tokens": n, "ignore_eos": True})
    tensors = [("text_input", "BYTES", raw_text("one two three")), ("stream", "BOOL", bytes([stream])),
               ("sampling_parameters", "BYTES", raw_text(sampling)), ("return_finish_reason", "BOOL", b"\1"),
               ("return_num_input_tokens", "BOOL", b"\1"), ("return_num_output_tokens", "BOOL", b"\1")]
    message = text(1, model) + text(3, request_id)
    if empty_final:
        message += text(4, text(1, "triton_enable_empty_final_response") + text(2, integer(1, 1)))
    message += b"".join(text(5, tensor(name, datatype, 1)) for name, datatype, _ in tensors)
    return message + b"".join(text(7, raw) for _, _, raw in tensors)


def read_response(data):
    """What one ModelInferResponse says."""
    fields = decode(data)
    names = [first(decode(output), 1).decode() for field, output in fields if field == 5]
    raws = [raw for field, raw in fields if field == 6]
    assert len(names) == len(raws), (names, raws)
    values = dict(zip(names, raws))
    final = next((first(decode(first(decode(entry), 2)), 1, 0) for field, entry in fields
                  if field == 4 and first(decode(entry), 1) == b"triton_final_response"), None)
    return {"id": first(fields, 3).decode(), "text": values.get("text_output", b"\0\0\0\0")[4:].decode(),
            "n_in": struct.unpack("<I", values.get("num_input_tokens", bytes(4)))[0],
            "n_out": struct.unpack("<I", values.get("num_output_tokens", bytes(4)))[0],
            "reason": values.get("finish_reason", b"\0\0\0\0")[4:].decode(), "final": final, "empty": not names}


def read_stream(call):
    """All responses, the errors in the stream, and the status."""
    responses, errors = [], []
    try:
        for message in call:
            fields = decode(message)
            error = first(fields, 1)
            if error:
                errors.append(error.decode())
            else:
                responses.append(read_response(first(fields, 2)))
    except grpc.RpcError as error:
        assert error.code() == call.code()
    return responses, errors, call.code()


@test
def triton_calls():
    with Front("oip") as front:
        assert front.unary(OIP + "ServerLive") == [(1, 1)]
        assert front.unary(OIP + "ServerReady") == [(1, 1)]
        about = front.unary(OIP + "ServerMetadata")
        assert first(about, 1) == b"triton" and (3, b"model_repository") in about, about
        assert front.unary(OIP + "ModelReady", text(1, TINY)) == [(1, 1)]
        assert front.unary(OIP + "ModelReady", text(1, "nobody")) == []
        metadata = front.unary(OIP + "ModelMetadata", text(1, TINY))
        names = [first(decode(value), 1) for field, value in metadata if field == 4]
        assert names[0] == b"text_input" and b"sampling_parameters" in names, names
        config = decode(first(front.unary(OIP + "ModelConfig", text(1, TINY)), 1))
        assert decode(first(config, 19)) == [(1, 1)] and first(config, 17) == b"vllm", config
        assert front.unary(HEALTH + "Check") == [(1, 1)]
        for method in HEALTH + "Watch", HEALTH + "List", OIP + "LogSettings", MCP + "Health":
            front.fails(grpc.StatusCode.UNIMPLEMENTED, method)
        details = front.fails(grpc.StatusCode.UNIMPLEMENTED, OIP + "ModelInfer", infer_request())
        assert "decoupled transaction policy" in details, details


@test
def triton_repository():
    model = "sim-qwen-32b-q4_k_m"

    def state():
        return next(decode(value) for field, value in front.unary(OIP + "RepositoryIndex")
                    if first(decode(value), 1) == model.encode())

    with Front("oip-fast") as front:
        assert first(state(), 3) == b""
        assert front.unary(OIP + "RepositoryModelLoad", text(2, model)) == []
        assert first(state(), 3) == b"READY"
        assert front.unary(OIP + "RepositoryModelUnload", text(2, model)) == []
        assert (first(state(), 3), first(state(), 4)) == (b"UNAVAILABLE", b"unloaded")
        front.fails(grpc.StatusCode.INTERNAL, OIP + "RepositoryModelLoad", text(2, "nobody"))
        front.fails(grpc.StatusCode.INVALID_ARGUMENT, OIP + "RepositoryModelLoad", text(2, "sim-broken-70b-q4_0"))
        front.fails(grpc.StatusCode.UNIMPLEMENTED, OIP + "RepositoryModelLoad", text(1, model))


@test
def triton_counts_equal_the_engines():
    with Front("oip-fast") as front:
        total = 0
        for n in 1, 2, 17, 64:
            responses, errors, code = read_stream(front.stream(infer_request(n)))
            assert code == grpc.StatusCode.OK and not errors, (code, errors)
            assert sum(r["n_out"] for r in responses) == n == len(responses), responses
            assert [r["final"] for r in responses] == [0] * (n - 1) + [1], responses
            assert responses[-1]["reason"] == "length" and {r["n_in"] for r in responses} == {3}, responses
            total += n
        a, b = infer_request(9, request_id="a"), infer_request(4, request_id="b", empty_final=True)
        responses, errors, code = read_stream(front.stream(a, b))
        assert sum(r["n_out"] for r in responses if r["id"] == "a") == 9
        assert sum(r["n_out"] for r in responses if r["id"] == "b") == 4
        assert sum(r["empty"] for r in responses) == 1 and sum(r["final"] for r in responses) == 2
        whole, _, _ = read_stream(front.stream(infer_request(5, stream=False)))
        assert len(whole) == 1 and whole[0]["text"].startswith("one two three"), whole
        seen = front.counters()
        assert seen["output_tokens"] == total + 9 + 4 + 5, seen
        assert seen["generations"] == seen["completed"] == 7 and seen["aborted"] == 0, seen
        assert seen["prompt_tokens"] == 7 * 3 and seen["active"] == 0, seen
        row = decode(first(front.unary(OIP + "ModelStatistics", text(1, TINY)), 1))
        assert first(row, 4) == 7, row
        bodies = [json.loads(r["body"]) for r in front.page("requests") if r["path"] == OIP + "ModelStreamInfer"]
        assert len(bodies) == 6 and bodies[0]["model_name"] == TINY, bodies


@test
def kserve_calls():
    with Front("kserve") as front:
        about = front.unary(OIP + "ServerMetadata")
        assert first(about, 1) == b"kserve" and first(about, 3) == b"model_repository_extension", about
        front.fails(grpc.StatusCode.UNIMPLEMENTED, OIP + "RepositoryIndex")
        front.fails(grpc.StatusCode.UNIMPLEMENTED, HEALTH + "Check")
        assert "does not exist" in front.fails(grpc.StatusCode.NOT_FOUND, OIP + "ModelReady", text(1, "nobody"))
        prompt = text(5, text(1, "text_input") + text(2, "BYTES") + text(3, b"\1") + text(5, text(8, "one two")))
        reply = front.unary(OIP + "ModelInfer", text(1, TINY) + prompt)
        output = decode(first(reply, 5))
        assert first(output, 1) == b"text_output" and not first(reply, 6), reply
        assert first(decode(first(output, 5)), 8).startswith(b"one two"), output
        assert front.counters()["completed"] == 1
        assert front.unary(OIP + "RepositoryModelUnload", text(1, TINY)) == [(1, TINY.encode()), (2, 1)]
        assert "not ready" in front.fails(grpc.StatusCode.UNAVAILABLE, OIP + "ModelInfer", text(1, TINY) + prompt)
        assert front.unary(OIP + "RepositoryModelLoad", text(1, TINY)) == [(1, TINY.encode()), (2, 1)]


@test
def ryzanstein_calls():
    who = text(1, text(1, "r1"))
    request = who + text(2, TINY) + text(3, integer(1, 2) + text(2, "hello")) + integer(5, 6)
    with Front("ryzanstein") as front:
        assert first(front.unary(MCP + "Health", who), 2) == 1
        front.fails(grpc.StatusCode.INTERNAL, MCP + "Health")
        info = front.unary(MCP + "GetModelInfo", who + text(2, TINY))
        assert first(info, 2) == TINY.encode() and first(info, 3) == 4096, info
        front.fails(grpc.StatusCode.NOT_FOUND, MCP + "GetModelInfo", who + text(2, "nobody"))
        whole = front.unary(MCP + "Infer", request)
        assert first(whole, 3) == 6 and first(decode(first(whole, 1)), 1) == b"r1", whole
        chunks = [decode(c) for c in front.server_stream(MCP + "InferStream", request)]
        assert [first(c, 3, 0) for c in chunks] == [0, 0, 0, 0, 0, 1], chunks
        assert b"".join(first(c, 2) for c in chunks) == first(whole, 2), chunks
        assert front.counters()["output_tokens"] == 12
        for version in "v1", "v1alpha":
            path = "/grpc.reflection.%s.ServerReflection/ServerReflectionInfo" % version
            reply = decode(next(front.channel.stream_stream(path)(iter([text(7, "")]), timeout=LIMIT_S)))
            names = [first(decode(value), 1) for _, value in decode(first(reply, 6))]
            assert b"mcp.ryzanstein.InferenceService" in names, names


@test
def health_of_every_family():
    with Front("all") as front:
        assert front.unary(HEALTH + "Check", text(1, "inference.GRPCInferenceService")) == [(1, 1)]
        front.fails(grpc.StatusCode.NOT_FOUND, HEALTH + "Check", text(1, "nobody"))
        names = [first(decode(value), 1) for _, value in front.unary(HEALTH + "List")]
        assert b"" in names and b"grpc.health.v1.Health" in names, names
        watch = front.server_stream(HEALTH + "Watch")
        assert decode(next(watch)) == [(1, 1)]
        watch.cancel()


@test
def cancel_and_deadline():
    with Front("oip") as front:
        call = front.stream(infer_request(1000))
        next(call)
        assert front.counters()["active"] == 1
        call.cancel()
        wait_until(lambda: front.counters()["aborted"] == 1, "the end of the cancelled generation")
        assert front.counters()["active"] == 0
        _, _, code = read_stream(front.stream(infer_request(1000), timeout=0.5))
        assert code == grpc.StatusCode.DEADLINE_EXCEEDED, code
        wait_until(lambda: front.counters()["aborted"] == 2, "the end of the late generation")
        assert front.counters()["completed"] == 0 and front.counters()["active"] == 0


@test
def faults():
    S = grpc.StatusCode
    rows = [("status=503", S.UNAVAILABLE, 0, 0), ("grpc-status=8:after=2", S.RESOURCE_EXHAUSTED, 2, 0),
            ("latency=0.05", S.OK, 8, 0), ("stall:after=2", S.DEADLINE_EXCEEDED, 2, 0), ("drop:after=3", S.UNAVAILABLE, 3, 0),
            ("truncate:after=3", S.OK, 3, 0), ("error:after=3", S.OK, 3, 1), ("goaway:after=3", S.OK, 8, 0),
            ("grpc-big=5000000:after=3", S.RESOURCE_EXHAUSTED, 3, 0), ("grpc-metadata=60000", S.RESOURCE_EXHAUSTED, 0, 0),
            ("grpc-compressed", S.OK, 8, 0), ("grpc-no-final", S.OK, 8, 0)]
    with Front("oip-fast") as front:
        for spec, status, n, n_errors in rows:
            limit = 0.5 if spec.startswith("stall") else LIMIT_S
            call = front.stream(infer_request(8), metadata=[("x-tacho-fault", spec)], timeout=limit)
            responses, errors, code = read_stream(call)
            # grpcio gives up what it has not handed out when the connection is reset.
            assert len(responses) == n or (spec.startswith("drop") and len(responses) < n), (spec, responses)
            assert (code, len(errors)) == (status, n_errors), (spec, code, errors)
            if n == 8:
                assert ("x-tacho-fault", spec) in [tuple(m) for m in call.initial_metadata()], spec
            if spec == "grpc-no-final":
                assert not any(r["final"] for r in responses), responses
            # A channel may not yet have seen that its connection was reset, or that it gave it up over metadata.
            if spec.startswith(("drop", "grpc-metadata")):
                front.reconnect()
            call = front.stream(infer_request(8))
            again, errors, code = read_stream(call)
            assert code == S.OK and sum(r["n_out"] for r in again) == 8, (spec, code, call.details(), errors)
        assert front.counters()["faults"] == len(rows)
        played = [r["fault"] for r in front.page("requests") if r["fault"]]
        assert sorted(played) == sorted(spec for spec, _, _, _ in rows), played


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True, timeout=LIMIT_S)


@test
def tls_and_client_certificates():
    with tempfile.TemporaryDirectory() as directory:
        def path(name):
            return os.path.join(directory, name)

        def read(name):
            with open(path(name), "rb") as f:
                return f.read()

        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl(directory, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2")
        with open(path("san"), "w", encoding="utf-8") as f:
            f.write("subjectAltName=IP:127.0.0.1\n")
        for name in "server", "client":
            openssl(directory, "req", *key, "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
            openssl(directory, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                    "-CAcreateserial", "-extfile", "san", "-out", name + ".pem", "-days", "2")
        served = ["--tls-cert", path("server.pem"), "--tls-key", path("server.key")]
        trust = grpc.ssl_channel_credentials(read("ca.pem"))
        with Front("oip-fast", *served, credentials=trust) as front:
            assert front.url.startswith("grpcs://"), front.url
            assert front.unary(OIP + "ServerLive") == [(1, 1)]
            responses, _, code = read_stream(front.stream(infer_request(8)))
            assert code == grpc.StatusCode.OK and len(responses) == 8
            responses, _, code = read_stream(front.stream(infer_request(8), metadata=[("x-tacho-fault", "drop:after=3")]))
            assert code == grpc.StatusCode.UNAVAILABLE and len(responses) <= 3, (code, responses)
            with grpc.insecure_channel(front.target) as plain:
                try:
                    plain.unary_unary(OIP + "ServerLive")(b"", timeout=5)
                    raise AssertionError("a TLS front took plain text")
                except grpc.RpcError as error:
                    assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        both = grpc.ssl_channel_credentials(read("ca.pem"), read("client.key"), read("client.pem"))
        with Front("oip-fast", *served, "--tls-client-ca", path("ca.pem"), credentials=both) as front:
            assert front.unary(OIP + "ServerLive") == [(1, 1)]
            with grpc.secure_channel(front.target, trust) as nobody:
                try:
                    nobody.unary_unary(OIP + "ServerLive")(b"", timeout=5)
                    raise AssertionError("the front took a client without a certificate")
                except grpc.RpcError as error:
                    assert error.code() == grpc.StatusCode.UNAVAILABLE, error


main()
