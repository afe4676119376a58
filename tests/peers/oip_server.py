# SPDX-License-Identifier: GPL-3.0-or-later
"""An Open Inference Protocol server over grpcio, with a protobuf codec of its own: Triton-shaped or KServe-shaped.

Models: "vllm" (decoupled; streams), "plain" (one BYTES input), "image" (takes no text), "late" (not loaded at first).
Prompts that begin with "fault:" break: fault:error (error_message), fault:abort (a status), fault:cut (no end marker)."""
import struct
from concurrent import futures

import grpc

SERVICE = "inference.GRPCInferenceService"


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def integer(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def decode(data):
    """A list of (field, value): bytes for length-delimited fields, an integer for others."""
    fields, at = [], 0

    def read_varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while at < len(data):
        tag = read_varint()
        if tag & 7 == 0:
            fields.append((tag >> 3, read_varint()))
        elif tag & 7 == 2:
            size = read_varint()
            fields.append((tag >> 3, data[at:at + size]))
            at += size
        else:
            raise ValueError("wire type %d" % (tag & 7))
    return fields


def first(fields, number, fallback=b""):
    return next((value for field, value in fields if field == number), fallback)


def tensor(name, datatype, *shape):
    return text(1, name) + text(2, datatype) + text(3, b"".join(varint(n) for n in shape))


def raw_text(value):
    data = value.encode()
    return struct.pack("<I", len(data)) + data


INPUTS = {
    "vllm": [("text_input", "BYTES", 1), ("stream", "BOOL", 1), ("sampling_parameters", "BYTES", 1),
             ("exclude_input_in_output", "BOOL", 1), ("return_finish_reason", "BOOL", 1),
             ("return_num_output_tokens", "BOOL", 1)],
    "plain": [("prompt", "BYTES", -1, 1)],
    "image": [("image", "FP32", 3, 224, 224)],
    "late": [("prompt", "BYTES", -1, 1)],
}


class Server:
    def __init__(self, kserve=False):
        self.kserve = kserve
        self.loaded = {"vllm", "plain", "image"}
        self.inferred = 0
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        unary = ["ServerLive", "ServerReady", "ServerMetadata", "ModelMetadata", "ModelInfer", "RepositoryModelLoad",
                 "RepositoryModelUnload"]
        handlers = {}
        if not kserve:
            unary += ["RepositoryIndex", "ModelConfig", "ModelStatistics"]
            handlers["ModelStreamInfer"] = grpc.stream_stream_rpc_method_handler(self.ModelStreamInfer)
        for name in unary:
            handlers[name] = grpc.unary_unary_rpc_method_handler(getattr(self, name))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        self.port = self.server.add_insecure_port("127.0.0.1:0")

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *unused):
        self.server.stop(None)

    def ServerLive(self, request, context):
        return integer(1, 1)

    ServerReady = ServerLive

    def ServerMetadata(self, request, context):
        extensions = ["model_repository_extension"] if self.kserve else ["model_repository", "statistics"]
        return text(1, "peer") + text(2, "1.0") + b"".join(text(3, e) for e in extensions)

    def ready_model(self, name, context):
        if name not in INPUTS:
            context.abort(grpc.StatusCode.NOT_FOUND, "Request for unknown model: '%s' is not found" % name)
        if name not in self.loaded:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Request for unknown model: '%s' is not ready" % name)
        return name

    def ModelMetadata(self, request, context):
        name = self.ready_model(first(decode(request), 1).decode(), context)
        return (text(1, name) + text(2, "1") + text(3, "peer") + b"".join(text(4, tensor(*i)) for i in INPUTS[name]) +
                text(5, tensor("text_output", "BYTES", -1)))

    def ModelConfig(self, request, context):
        name = self.ready_model(first(decode(request), 1).decode(), context)
        inputs = b"".join(text(5, text(1, i[0]) + integer(8, int(n > 0))) for n, i in enumerate(INPUTS[name]))
        return text(1, text(1, name) + inputs + text(17, "peer") + text(19, integer(1, int(name == "vllm"))))

    def ModelStatistics(self, request, context):
        name = self.ready_model(first(decode(request), 1).decode(), context)
        return text(1, text(1, name) + integer(4, self.inferred) + text(8, text(1, "GPU") + integer(3, 123456789)))

    def RepositoryIndex(self, request, context):
        return b"".join(
            text(1, text(1, name) + (text(2, "1") + text(3, "READY") if name in self.loaded else b""))
            for name in INPUTS)

    def change(self, request, context, load):
        fields = decode(request)
        if not self.kserve and first(fields, 1):
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "'repository_name' specification is not supported")
        name = first(fields, 1 if self.kserve else 2).decode()
        if name not in INPUTS:
            context.abort(grpc.StatusCode.NOT_FOUND, "failed to load '%s', no such model" % name)
        (self.loaded.add if load else self.loaded.discard)(name)
        return text(1, name) + integer(2, 1) if self.kserve else b""

    def RepositoryModelLoad(self, request, context):
        return self.change(request, context, True)

    def RepositoryModelUnload(self, request, context):
        return self.change(request, context, False)

    def prompt(self, request, context):
        """Reads as strictly as a server does: raw contents in the order of the inputs, shapes that fit."""
        fields = decode(request)
        name = self.ready_model(first(fields, 1).decode(), context)
        inputs = [decode(value) for field, value in fields if field == 5]
        raws = [value for field, value in fields if field == 7]
        known = {i[0]: i for i in INPUTS[name]}
        values = {}
        if len(inputs) != len(raws):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "%d inputs, %d contents" % (len(inputs), len(raws)))
        for one, raw in zip(inputs, raws):
            key, datatype = first(one, 1).decode(), first(one, 2).decode()
            shape = list(first(one, 3))
            if key not in known or datatype != known[key][1] or len(shape) != len(known[key]) - 2 or set(shape) != {1}:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "input '%s' %s %s" % (key, datatype, shape))
            if datatype == "BYTES":
                assert struct.unpack_from("<I", raw)[0] == len(raw) - 4
                values[key] = raw[4:].decode()
            else:
                assert len(raw) == 1
                values[key] = raw[0] != 0
        self.inferred += 1
        return name, fields, values, values.get("text_input", values.get("prompt", ""))

    def outputs(self, name, value, reason, typed):
        out = text(1, name) + text(2, "1")
        if typed:
            return out + text(5, tensor("text_output", "BYTES", 1) + text(5, text(8, value)))
        out += text(5, tensor("text_output", "BYTES", 1)) + text(6, raw_text(value))
        if name == "vllm":
            out += text(5, tensor("finish_reason", "BYTES", 1)) + text(6, raw_text(reason))
            out += text(5, tensor("num_output_tokens", "UINT32", 1)) + text(6, struct.pack("<I", 1))
        return out

    def ModelInfer(self, request, context):
        name, _, _, prompt = self.prompt(request, context)
        if name == "vllm":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "ModelInfer RPC doesn't support decoupled models")
        if prompt == "fault:abort":
            context.abort(grpc.StatusCode.INTERNAL, "the backend died")
        return self.outputs(name, "echo: " + prompt, "stop", self.kserve)

    def ModelStreamInfer(self, requests, context):
        for request in requests:
            name, fields, values, prompt = self.prompt(request, context)
            wants_final = any(b"triton_enable_empty_final_response" in v for f, v in fields if f == 4)
            pieces = ["echo: ", prompt] if values.get("stream") else ["echo: " + prompt]
            for number, piece in enumerate(pieces):
                if number == 1 and prompt == "fault:error":
                    yield text(1, "the backend ran out of memory")
                    return
                if number == 1 and prompt == "fault:abort":
                    context.abort(grpc.StatusCode.INTERNAL, "the backend died")
                if number == 1 and prompt == "fault:cut":
                    return
                reason = "stop" if number == len(pieces) - 1 else "None"
                yield text(2, self.outputs(name, piece, reason, False) + self.final(False))
            if wants_final:
                yield text(2, text(1, name) + self.final(True))

    @staticmethod
    def final(value):
        return text(4, text(1, "triton_final_response") + text(2, integer(1, int(value))))
