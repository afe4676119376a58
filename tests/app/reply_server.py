#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of the OpenAI family that answers with the text it was given, piece by piece.

The simulated server makes its text up; what Markdown looks like, or what happens to one given reply,
needs a text of one's own.
"""

import argparse
import http.server
import json
import re
import threading
import time


class Server:
    """Listens on a free port until stop(). requests holds what was asked, as parsed JSON."""

    def __init__(self, text='', reasoning='', rate=0, model='scripted', die_after=None, port=0, hold=False):
        self.text, self.reasoning, self.rate, self.model = text, reasoning, rate, model
        self.die_after = die_after  # pieces, then the connection is cut
        self.hold = threading.Event()  # set: answer; else each reply waits before its first byte
        if not hold:
            self.hold.set()
        self.requests = []
        self.gone = 0  # clients that closed before the end
        self.listings = 0  # times the models were asked for
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def reply(self, body, status=200):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                if self.path == '/v1/models':
                    outer.listings += 1
                    self.reply({'object': 'list', 'data': [{'id': outer.model, 'object': 'model'}]})
                else:
                    self.reply({'error': {'message': 'not here', 'type': 'invalid_request_error'}}, 404)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get('Content-Length', 0))))
                outer.requests.append(body)
                if not self.path.endswith('completions'):
                    self.reply({'error': {'message': 'not here'}}, 404)
                    return
                self.send_response(200)
                self.send_header('Content-Type', 'text/event-stream')
                self.send_header('Connection', 'close')
                self.end_headers()
                try:
                    self.stream(not self.path.endswith('chat/completions'))
                except (BrokenPipeError, ConnectionResetError):
                    outer.gone += 1
                self.close_connection = True

            def event(self, value):
                self.wfile.write(b'data: ' + json.dumps(value).encode() + b'\n\n')

            def stream(self, raw):
                while not outer.hold.wait(0.05):
                    self.wfile.write(b': waiting\n\n')
                pieces = [('reasoning_content', p) for p in re.findall(r'\S+\s*|\s+', outer.reasoning)]
                pieces += [('content', p) for p in re.findall(r'\S+\s*|\s+', outer.text)]
                start = time.monotonic()
                for n, (key, piece) in enumerate(pieces):
                    if outer.die_after is not None and n >= outer.die_after:
                        return
                    delta = {'text': piece} if raw else {'delta': {key: piece}}
                    self.event({'id': 'r1', 'choices': [{'index': 0, **delta, 'finish_reason': None}]})
                    if outer.rate:
                        time.sleep(max(0, start + (n + 1) / outer.rate - time.monotonic()))
                self.event({'id': 'r1', 'choices': [{'index': 0, **({'text': ''} if raw else {'delta': {}}),
                                                     'finish_reason': 'stop'}]})
                self.event({'id': 'r1', 'choices': [],
                            'usage': {'prompt_tokens': 7, 'completion_tokens': len(pieces)}})
                self.wfile.write(b'data: [DONE]\n\n')

        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler)
        self.http.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.http.server_address[1]}'
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={'poll_interval': 0.05},
                                       daemon=True)
        self.thread.start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('file', help='Markdown to answer with')
    parser.add_argument('--reasoning', default='', help='what is thought before')
    parser.add_argument('--rate', type=float, default=0, help='pieces a second (0: at once)')
    parser.add_argument('--port', type=int, default=0)
    options = parser.parse_args()
    with open(options.file, encoding='utf-8') as file:
        server = Server(file.read(), options.reasoning, options.rate, port=options.port)
    print(server.url, flush=True)
    server.thread.join()


if __name__ == '__main__':
    main()
