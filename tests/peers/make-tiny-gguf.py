#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a tiny random-weight Llama model as GGUF: loads in milliseconds, talks nonsense fast, never ends early.

Standard library only. make-tiny-gguf.py OUT [--seed N] [--width 64] [--layers 2] [--context 4096]
"""
import argparse, random, struct

WORDS = ("the of and to in a is that for it as was with be by on not he his but at are this have from or had an they "
         "which you we model server token stream latency time light water house river stone green small great every "
         "never under over").split()
CHARS = "\u2581abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'-\n"
UINT32, FLOAT32, BOOL, STRING, ARRAY, INT32 = 4, 6, 7, 8, 9, 5


def text(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b


def value(kind, v):
    return {UINT32: lambda: struct.pack("<I", v), INT32: lambda: struct.pack("<i", v), FLOAT32: lambda: struct.pack("<f", v),
            BOOL: lambda: struct.pack("<B", v), STRING: lambda: text(v)}[kind]()


def pair(key, kind, v):
    return text(key) + struct.pack("<I", kind) + value(kind, v)


def array(key, kind, items):
    return text(key) + struct.pack("<IIQ", ARRAY, kind, len(items)) + b"".join(value(kind, i) for i in items)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out"); p.add_argument("--seed", type=int, default=1)
    p.add_argument("--width", type=int, default=64); p.add_argument("--layers", type=int, default=2); p.add_argument("--context", type=int, default=4096)
    a = p.parse_args()
    rng = random.Random(a.seed)
    tokens, types, scores = ["<unk>", "<s>", "</s>"], [2, 3, 3], [0.0] * 3
    for i in range(256):
        tokens.append("<0x%02X>" % i); types.append(6); scores.append(0.0)
    for i, c in enumerate(CHARS):
        tokens.append(c); types.append(1); scores.append(-1000.0 - i)
    for i, w in enumerate(WORDS):
        tokens.append("\u2581" + w); types.append(1); scores.append(-1.0 - i)
    d, ff, vocab = a.width, 2 * a.width, len(tokens)

    def normal(rows, cols, scale=0.08):
        return [rng.gauss(0, scale) for _ in range(rows * cols)]

    out = normal(vocab, d, 0.64)
    out[:259 * d] = [0.0] * (259 * d)          # never a control or byte token: the reply ends at max_tokens only
    tensors = [("token_embd.weight", [d, vocab], normal(vocab, d)), ("output_norm.weight", [d], [1.0] * d), ("output.weight", [d, vocab], out)]
    for i in range(a.layers):
        b = "blk.%d." % i
        tensors += [(b + "attn_norm.weight", [d], [1.0] * d), (b + "ffn_norm.weight", [d], [1.0] * d)]
        tensors += [(b + n + ".weight", [d, d], normal(d, d)) for n in ("attn_q", "attn_k", "attn_v", "attn_output")]
        tensors += [(b + "ffn_gate.weight", [d, ff], normal(ff, d)), (b + "ffn_up.weight", [d, ff], normal(ff, d)), (b + "ffn_down.weight", [ff, d], normal(d, ff))]
    meta = [pair("general.architecture", STRING, "llama"), pair("general.name", STRING, "tiny-random-%d" % a.seed), pair("general.file_type", UINT32, 0),
            pair("llama.context_length", UINT32, a.context), pair("llama.embedding_length", UINT32, d), pair("llama.block_count", UINT32, a.layers),
            pair("llama.feed_forward_length", UINT32, ff), pair("llama.attention.head_count", UINT32, 4), pair("llama.attention.head_count_kv", UINT32, 4),
            pair("llama.attention.layer_norm_rms_epsilon", FLOAT32, 1e-5), pair("llama.rope.dimension_count", UINT32, d // 4), pair("llama.vocab_size", UINT32, vocab),
            pair("tokenizer.ggml.model", STRING, "llama"), array("tokenizer.ggml.tokens", STRING, tokens), array("tokenizer.ggml.scores", FLOAT32, scores),
            array("tokenizer.ggml.token_type", INT32, types), pair("tokenizer.ggml.bos_token_id", UINT32, 1), pair("tokenizer.ggml.eos_token_id", UINT32, 2),
            pair("tokenizer.ggml.unknown_token_id", UINT32, 0), pair("tokenizer.ggml.add_bos_token", BOOL, 1),
            pair("tokenizer.chat_template", STRING, "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:")]
    infos, blobs, offset = b"", [], 0
    for name, shape, data in tensors:
        infos += text(name) + struct.pack("<I", len(shape)) + struct.pack("<%dQ" % len(shape), *shape) + struct.pack("<IQ", 0, offset)
        blob = struct.pack("<%df" % len(data), *data)
        blob += b"\0" * (-len(blob) % 32)
        blobs.append(blob); offset += len(blob)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(meta)) + b"".join(meta) + infos
    with open(a.out, "wb") as f:
        f.write(head + b"\0" * (-len(head) % 32) + b"".join(blobs))


main()
