#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A streaming client as the Python benchmark tools write it: aiohttp, one task a stream, a stamp and
json.loads an event. Prints one line of JSON: the stamps by reply, the events that had a read of their
own, and the CPU that all of it took.

aiohttp_client.py PORT STREAMS
"""
import asyncio
import json
import sys
import time

try:
    import aiohttp
except ImportError:
    sys.exit("python3-aiohttp is not installed")

BODY = {"model": "qwen2.5-7b", "stream": True, "max_tokens": 64,
        "messages": [{"role": "user", "content": "Why is the sky blue?"}]}


class Client:
    def __init__(self):
        self.replies = {}
        self.own_reads = 0

    async def stream(self, session, url):
        rest = b""
        async with session.post(url, json=BODY) as response:
            async for chunk in response.content.iter_any():
                stamp = time.monotonic_ns()
                rest += chunk
                in_read = 0
                while b"\n\n" in rest:
                    event, rest = rest.split(b"\n\n", 1)
                    if event == b"data: [DONE]":
                        continue
                    data = json.loads(event.removeprefix(b"data: "))
                    choices = data["choices"]
                    if choices and choices[0]["delta"].get("content"):
                        self.replies.setdefault(data["id"], []).append(stamp)
                        in_read += 1
                self.own_reads += in_read == 1

    async def run(self, port, streams):
        url = "http://127.0.0.1:%d/v1/chat/completions" % port
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
            await asyncio.gather(*(self.stream(session, url) for _ in range(streams)))


def main():
    client = Client()
    begin = time.process_time()
    asyncio.run(client.run(int(sys.argv[1]), int(sys.argv[2])))
    print(json.dumps({"replies": client.replies, "own_reads": client.own_reads,
                      "cpu_s": time.process_time() - begin}))


if __name__ == "__main__":
    main()
