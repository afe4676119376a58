#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program in a desktop: preferences, shortcuts, actions of its menu entry, addresses it is given."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402

tacho_gui.enter()
test = tacho_gui.Tests()
SOURCE = os.environ['TACHO_SOURCE_ROOT']


def activate(gui, action):
    """As the desktop does for an entry of the program's menu."""
    subprocess.run(['gdbus', 'call', '--session', '--dest', 'io.github.tacho.Tacho', '--object-path',
                    '/io/github/tacho/Tacho', '--method', 'org.freedesktop.Application.ActivateAction',
                    action, '[]', '{}'], check=True, stdout=subprocess.DEVNULL, env=gui.env)


@test()
def preferences_hold_at_once(gui):
    gui.find(contains=': Connected')
    gui.key('ctrl+comma')
    gui.find('Preferences', 'frame')
    # The data folder of this person, not of another.
    gui.find(os.path.join(gui.home, 'tacho'), 'label')
    gui.click(gui.find('Key that sends', 'label'))
    gui.find('Ctrl+Enter', 'label')
    gui.key('Down', 'Return')
    gui.find(contains='Ctrl+Enter sends, Enter breaks the line', role='label')
    gui.key('Escape')
    gui.gone('Preferences', 'frame')
    gui.type_into(gui.find('Prompt', 'text'), 'by the other key')
    gui.find('Send', 'push button', sensitive=True)
    gui.click(gui.find('Prompt', 'text'))
    gui.key('ctrl+Return')
    gui.find('Conversation', 'text', text='by the other key')
    gui.replies(1)


@test()
def actions_of_the_menu_entry(gui):
    gui.find(contains=': Connected')
    activate(gui, 'new-benchmark')
    gui.find('Run', 'push button')
    activate(gui, 'new-prompt')
    gui.find('Ask the Model', 'label')
    with open(os.path.join(SOURCE, 'data', 'io.github.tacho.Tacho.desktop.in.in'), encoding='utf-8') as file:
        entry = file.read()
    named = re.search(r'^Actions=(.*)$', entry, re.M).group(1).strip(';').split(';')
    with open(os.path.join(SOURCE, 'src', 'app', 'tacho-application.c'), encoding='utf-8') as file:
        source = file.read()
    for name in named:
        assert f'[Desktop Action {name}]' in entry and f'{{ "{name}",' in source, name


@test()
def takes_an_address_without_an_option(gui):
    gui.find(contains=': Connected')
    url = tacho_gui.dead_url()
    done = gui.run(url)
    assert done.returncode == 0, done
    gui.find(contains=f'{url[len("http://"):]}: Offline')
    assert gui.run(url, url).returncode == 2


@test(start=False)
def the_overlay_names_the_shortcuts_there_are(_gui):
    with open(os.path.join(SOURCE, 'src', 'app', 'tacho-application.c'), encoding='utf-8') as file:
        source = file.read()
    with open(os.path.join(SOURCE, 'ui', 'gtk', 'help-overlay.ui'), encoding='utf-8') as file:
        overlay = file.read().replace('&lt;', '<').replace('&gt;', '>')
    table = source[source.index('} accels[] = {'):source.index('};', source.index('} accels[] = {'))]
    first = re.findall(r'\{ "[^"]*", \{ "([^"]*)"', table)
    assert len(first) > 8, first
    for accelerator in first:
        assert f'>{accelerator}<' in overlay, accelerator


with tacho_gui.accessibility_bus():
    test.main()
