#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The llama-server of this computer, started, watched and stopped in the window."""

import os
import select
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402

tacho_gui.enter()
test = tacho_gui.Tests()

FAKE = os.path.join(os.environ['TACHO_SOURCE_ROOT'], 'tests', 'core', 'service', 'fake-llama-server.py')


def behaves(mode):
    def prepare(gui):
        gui.env.update(FAKE_LLAMA=mode, PATH=gui.home)
        gui.models = os.path.join(gui.home, 'gguf')
        os.mkdir(gui.models)
        for name in ('one.gguf', 'two.gguf', 'notes.txt'):
            with open(os.path.join(gui.models, name), 'w', encoding='utf-8') as stream:
                stream.write('GGUF')
    return prepare


def open_form(gui):
    gui.find(contains=': Connected')
    button = gui.find(contains='Server ')
    menu = next(node for node in gui.walk(button) if 'click' in gui.actions(node))
    gui.act(menu, 'click')
    gui.press('Models of This Computer…', 'push button')
    gui.find('Models of This Computer', 'frame')


def fill_in(gui, program=FAKE):
    # Where there is no llama-server the options are open by themselves.
    gui.type_into(gui.find(contains='Program; empty', role='text'), program)
    gui.type_into(gui.find(contains='Folder of GGUF', role='text'), gui.models)


def children(gui):
    """The processes of the program that were started from the fake server, or became the real one."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/status', encoding='utf-8') as stream:
                parent = next(line for line in stream if line.startswith('PPid:')).split()[1]
        except OSError:
            continue
        if int(parent) == gui.process.pid:
            found.append(int(pid))
    return found


@test(prepare=behaves('simulate'))
def is_started_used_and_stopped(gui):
    open_form(gui)
    fill_in(gui)
    gui.label('2 models')
    gui.press('Start', 'push button')
    gui.label('Running')
    gui.click(gui.find('Log', 'label'))
    gui.wait(lambda: 'llama-server' in gui.text_of(gui.find('Log of llama-server', 'text')), 'its log')
    gui.screenshot('running')
    assert len(children(gui)) == 1, children(gui)
    # The window uses it by itself.
    gui.find(contains='Server 127.0.0.1:')
    gui.find(contains=': Connected')
    gui.press('Stop', 'push button')
    gui.label('Not running')
    gui.wait(lambda: not children(gui), 'the end of its process')
    gui.find(contains=': Offline')


@test(prepare=behaves('simulate'))
def ends_with_the_program(gui):
    open_form(gui)
    fill_in(gui)
    gui.press('Start', 'push button')
    gui.label('Running')
    pids = children(gui)
    assert len(pids) == 1, pids
    engine = os.pidfd_open(pids[0])
    gui.key('Escape')
    gui.gone('Models of This Computer', 'frame')
    gui.quit()
    assert select.select([engine], [], [], 10)[0], 'it outlives the program'


@test(prepare=behaves('dies'))
def its_death_is_explained(gui):
    open_form(gui)
    fill_in(gui)
    gui.press('Start', 'push button')
    gui.label('Failed')
    words = gui.label('GGUF')
    gui.find(contains='invalid magic', role='label')
    gui.press('Start', 'push button')  # it can be tried again
    gui.find(contains='invalid magic', role='label')
    gui.act(gui.find('Models of This Computer', 'frame'), 'window.close')
    gui.gone('Models of This Computer', 'frame')
    assert gui.alive(), words


@test(prepare=behaves('ready'))
def what_is_missing_is_said_before(gui):
    open_form(gui)
    fill_in(gui, program='/nowhere/llama-server')
    gui.label('There is no such program')
    gui.find('Start', 'push button', sensitive=False)
    gui.type_into(gui.find(contains='Program; empty', role='text'), FAKE)
    gui.label('2 models')
    gui.type_into(gui.find(contains='Folder of GGUF', role='text'), '/nowhere/models')
    gui.find(contains='/nowhere/models', role='label')
    gui.find('Start', 'push button', sensitive=False)


test.main()
