#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the pictures of README and metainfo from the real window on the built-in simulated server.

    docs/screenshots/take.py [PICTURE...]      after ./dev build, or: TACHO_BUILD_ROOT=DIR docs/screenshots/take.py

Needs what the tests of the window need (./dev deps test). The pictures are 1280 pixels wide, one pixel each.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, 'tests', 'app'))
os.environ.setdefault('TACHO_SOURCE_ROOT', SOURCE)
os.environ.setdefault('TACHO_BUILD_ROOT', os.path.join(SOURCE, 'build'))
os.environ.setdefault('GSETTINGS_SCHEMA_DIR', os.path.join(os.environ['TACHO_BUILD_ROOT'], 'data'))
import tacho_gui  # noqa: E402

SIZE = (1280, 800)
tacho_gui.enter(f'{SIZE[0]}x{SIZE[1]}')
picture = tacho_gui.Tests()


def prepare(dark):
    def settings(gui):
        gui.env['ADW_DEBUG_COLOR_SCHEME'] = 'prefer-dark' if dark else 'prefer-light'
        gui.env['GSETTINGS_BACKEND'] = 'keyfile'
        folder = os.path.join(gui.home, 'gtk-4.0')
        os.makedirs(folder)
        with open(os.path.join(folder, 'settings.ini'), 'w', encoding='utf-8') as file:
            file.write('[Settings]\ngtk-font-name=Cantarell 11\n')
        subprocess.run(['xdotool', 'mousemove', str(SIZE[0] - 1), str(SIZE[1] - 1)], check=True)
    return settings


def fill_screen(gui):
    """The window alone: its shadow, of a few pixels where there is no window manager, is cut off later."""
    window = subprocess.run(['xdotool', 'search', '--onlyvisible', '--pid', str(gui.process.pid), '--name', 'Tacho'],
                            check=True, capture_output=True, text=True).stdout.split()[-1]
    subprocess.run(['xdotool', 'windowmove', window, '0', '0', 'windowsize', window, str(SIZE[0]), str(SIZE[1])],
                   check=True)
    gui.find(contains=': Connected')
    gui.find(contains='Simulated Tiny 1B: ', role='list item')


def take(gui):
    name = gui.name.replace('_', '-')
    subprocess.run(['import', '-window', 'root', '-strip', os.path.join(HERE, f'{name}.png')], check=True)


def spin(gui, name, value):
    gui.type_into(gui.find(name, 'spin button'), str(value))


def run(gui, limit=180):
    gui.press('Run', 'push button')
    gui.label('Finished.', limit=limit)


@picture(url='sim:', prepare=prepare(dark=False))
def benchmark_light(gui):
    fill_screen(gui)
    gui.key('ctrl+2')
    spin(gui, 'At a time', 16)
    spin(gui, 'Stop after', 240)
    gui.press('Run', 'push button')
    gui.label(' of 240 requests · about 4', limit=120)  # 4x s left
    take(gui)
    gui.press('Stop', 'push button')
    gui.find('Results', 'label')


@picture(url='sim:', prepare=prepare(dark=True))
def results_dark(gui):
    fill_screen(gui)
    gui.key('ctrl+2')
    spin(gui, 'At a time', 16)
    spin(gui, 'Stop after', 240)
    run(gui)
    take(gui)


@picture(url='sim:', prepare=prepare(dark=False))
def prompt_light(gui):
    fill_screen(gui)
    for number, question in enumerate(('Which of these servers is faster?', 'Write a haiku about queues',
                                       'Explain time to first token'), 1):
        if number > 1:
            gui.key('ctrl+n')
            gui.find('Ask the Model', 'label')
        gui.ask(question)
        gui.replies(1)
    gui.ask('And the gap between tokens?')
    gui.replies(2)
    gui.key('alt+2')
    gui.find('Search conversations', 'entry')
    take(gui)


@picture(url='sim:fast', prepare=prepare(dark=False))
def compare_light(gui):
    fill_screen(gui)
    gui.key('ctrl+2')
    for concurrency in (4, 8):
        if gui.find_now('At a time', 'spin button') is None:
            gui.press('Edit Plan')
        spin(gui, 'Stop after', 400)
        spin(gui, 'At a time', concurrency)
        run(gui)
    gui.press('History')
    gui.find('2 runs', 'label')
    for node in list(gui.nodes(contains='Select the run of ', role='check box', visible=True)):
        gui.click(node)
    gui.press('Compare', 'push button')
    gui.press('Compare Anyway', 'push button')
    gui.find('Output tokens/s', 'label')
    subprocess.run(['xdotool', 'mousemove', str(SIZE[0] - 1), str(SIZE[1] - 1)], check=True)
    gui.find(contains='share within')
    take(gui)


@picture(url='sim:', prepare=prepare(dark=True))
def sweep_dark(gui):
    fill_screen(gui)
    gui.key('ctrl+2')
    gui.press('Sweep', 'push button')
    spin(gui, 'Stop after', 6)
    run(gui, 240)
    take(gui)


with tacho_gui.accessibility_bus():
    picture.main()
