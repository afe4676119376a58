#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with two sides, one of which is killed and comes back: what a person sees of it."""

import json
import os
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402

tacho_gui.enter()
test = tacho_gui.Tests()


class Server:
    """The simulated server as a process of its own, over REST and gRPC."""

    def __init__(self):
        cli = os.path.join(os.environ['TACHO_BUILD_ROOT'], 'src', 'cli', 'tacho-cli')
        self.process = subprocess.Popen([cli, 'simulate', '--api', 'oip', '--grpc-port', '0'],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.grpc = self.process.stdout.readline().split()[-1]
        assert self.url.startswith('http://') and self.grpc.startswith('grpc://'), (self.url, self.grpc)

    def side(self, **sides):
        request = urllib.request.Request(self.url + '/__tacho/side', json.dumps(sides).encode(),
                                         {'Content-Type': 'application/json'})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        assert opener.open(request, timeout=10).status == 200

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


server = Server()


def ask(gui, text, by_grpc):
    """Sends, and waits for an answer that came by that side: the one before stays till then."""
    count = gui.conversation().count('total ')
    gui.ask(text)
    conversation = gui.replies(count + 1)
    assert ('by gRPC' in conversation.split(text)[-1]) == by_grpc, conversation


def open_menu(gui):
    button = gui.find(contains='Server ')
    menu = next(node for node in gui.walk(button) if 'click' in gui.actions(node))
    gui.act(menu, 'click')
    return menu


@test('--grpc', server.grpc, url=server.url)
def survives_the_death_of_a_side(gui):
    gui.find(contains=': Connected')
    ask(gui, 'By the first side.', True)

    server.side(grpc='down')
    ask(gui, 'By the other one.', False)
    gui.find(contains=': Unsteady')
    menu = open_menu(gui)
    sides = gui.label('in use')
    assert 'gRPC ' in sides and 'REST ' in sides, sides
    assert 'down' in sides or 'failing' in sides, sides
    assert gui.label('Connections: ').count(',') >= 3
    gui.screenshot('degraded')
    gui.act(menu, 'click')

    server.side(grpc='up')
    gui.find(contains=': Connected')
    ask(gui, 'By the first side again.', True)
    conversation = gui.text_of(gui.find('Conversation', 'text'))
    for prompt in ('By the first side.', 'By the other one.', 'By the first side again.'):
        assert prompt in conversation, conversation


with tacho_gui.accessibility_bus():
    try:
        test.main()
    finally:
        server.stop()
