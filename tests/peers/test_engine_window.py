#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real llama-server, started from the window on a folder of models, asked, measured and stopped there.

It is the one that peers/llama installs (TACHO_PEERS_DIR), in a tree of its own, which a wrapper enters."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'app'))
import tacho_gui  # noqa: E402

PEER = os.environ.get('TACHO_PEERS_DIR') or os.path.join(os.environ['TACHO_BUILD_ROOT'], 'peers', 'forky')
WRAPPER = '''#!/bin/bash
# What is inside of the tree has another path there.
for argument; do set -- "$@" "${argument//$PEER/}"; shift; done
exec chroot "$PEER" /usr/bin/llama-server "$@"
'''

if not os.environ.get(tacho_gui.INSIDE):
    installed = subprocess.run([os.path.join(HERE, 'llama-server.sh'), PEER], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, check=False)
    if installed.returncode == 77:
        tacho_gui.skip(installed.stderr.strip().splitlines()[-1])
    assert installed.returncode == 0, installed.stderr
    if os.geteuid() != 0:
        tacho_gui.skip('a tree of its own can be entered by root alone')
tacho_gui.enter()
test = tacho_gui.Tests()


def wrap(gui):
    gui.env['PEER'] = PEER
    gui.wrapper = os.path.join(gui.home, 'llama-server')
    with open(gui.wrapper, 'w', encoding='utf-8') as file:
        file.write(WRAPPER)
    os.chmod(gui.wrapper, 0o755)


@test(prepare=wrap)
def a_real_engine_is_used(gui):
    gui.find(contains=': Connected')
    button = gui.find(contains='Server ')
    gui.act(next(node for node in gui.walk(button) if 'click' in gui.actions(node)), 'click')
    gui.press('Models of This Computer…', 'push button')
    window = gui.find('Models of This Computer', 'frame')
    gui.type_into(gui.find(contains='Program; empty', role='text'), gui.wrapper)
    gui.type_into(gui.find(contains='Folder of GGUF', role='text'), os.path.join(PEER, 'models'))
    gui.label('2 models')
    gui.press('Start', 'push button')
    gui.label('Running')
    gui.screenshot('running')
    gui.act(window, 'window.close')
    gui.gone('Models of This Computer', 'frame')
    # The window uses it by itself: its models, loaded when they are asked.
    gui.find(contains='Server 127.0.0.1:')
    gui.find(contains='tiny-a', role='list item')
    gui.find(contains='tiny-b', role='list item')
    gui.press(contains='Load tiny-a', role='push button')
    gui.find(contains='Unload tiny-a', role='push button')
    gui.ask('Once upon a time')
    said = gui.replies(1)
    assert 'TTFT' in said and 'simulated' not in said, said
    gui.screenshot('asked')
    gui.key('ctrl+2')
    gui.type_into(gui.find('Stop after', 'spin button'), '16')
    gui.press('Run', 'push button')
    gui.label('Finished.', limit=120)
    gui.label('16 requests answered')
    gui.label('No request failed.')
    gui.screenshot('measured')


with tacho_gui.accessibility_bus():
    test.main()
