#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A good citizen of the desktop: usable by keyboard and by ear, itself again after a restart."""

import contextlib
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reply_server  # noqa: E402
import tacho_gui  # noqa: E402

tacho_gui.enter()
import pyatspi  # noqa: E402

test = tacho_gui.Tests()
SOURCE = os.environ['TACHO_SOURCE_ROOT']
slow = reply_server.Server('word ' * 4000, rate=40)
held = reply_server.Server('late', hold=True)

# What a person acts on; the rest of what takes the focus is a container.
ACTED_ON = {'push button', 'toggle button', 'check box', 'radio button', 'combo box', 'entry', 'text', 'spin button',
            'slider', 'page tab', 'image', 'link', 'list item', 'menu item', 'password text', 'switch', 'tree table'}
NO_NAME = re.compile(r'^(Gtk|Adw|Tacho)[A-Z]\w+$|^$')  # GTK's answer for a widget without one: its class
KEYS = {'Control': 'ctrl', 'Shift': 'shift', 'Alt': 'alt'}


def inside_of_the_toolkit(gui, node):
    """Parts that libadwaita makes and gives no name, out of anyone's reach."""
    parent = node.parent
    if node.getRoleName() == 'page tab' and node.name == 'GtkLabel':  # of a preferences window with one page
        return True
    while parent is not None and parent.getRoleName() != 'frame':
        # The button in the row of a password; the list that a row with a choice opens.
        if parent.getRoleName() in ('text', 'combo box') and parent.name and node.getRoleName() != 'push button' or \
                parent.getRoleName() == 'text' and parent.name:
            return True
        parent = parent.parent
    return False


def nameless(gui):
    """What can be used, is in sight, and has no name or no role that says what it is."""
    found = []
    for node in gui.walk():
        try:
            role = node.getRoleName()
            usable = node.getState().contains(pyatspi.STATE_FOCUSABLE) and role != 'label'
            if (usable or 'click' in gui.actions(node)) and gui.showing(node):
                if role in ('unknown', 'invalid', '') or \
                        role in ACTED_ON and NO_NAME.match(node.name) and not inside_of_the_toolkit(gui, node):
                    parent = node.parent
                    found.append(f'{role} {node.name!r} in {parent.getRoleName()} {parent.name!r}')
        except Exception:  # it went away while it was looked at
            continue
    return found


def check_names(gui, page):
    found = nameless(gui)
    assert not found, f'{page}: {found}'


@test()
def everything_has_a_name_and_a_role(gui):
    gui.find(contains=': Connected')
    gui.press('Parameters', 'push button')
    gui.find('Temperature')
    check_names(gui, 'prompt, with its parameters')
    gui.key('Escape')
    gui.ask('Hello')
    gui.replies(1)
    gui.key('alt+2')
    gui.find('Search conversations', 'entry')
    gui.find(contains='Hello: ', role='list item')
    check_names(gui, 'a conversation')
    gui.press('Details of this reply', 'push button')
    gui.find('Details of the Reply', 'frame')
    check_names(gui, 'details of a reply')
    gui.key('Escape')
    gui.gone('Details of the Reply', 'frame')
    gui.key('ctrl+2')
    gui.find('Run', 'push button')
    check_names(gui, 'plan of a benchmark')
    gui.key('ctrl+comma')
    gui.find('Preferences', 'frame')
    check_names(gui, 'preferences')
    gui.key('Escape')
    gui.gone('Preferences', 'frame')
    gui.key('ctrl+l')
    gui.find('URL', 'text')
    check_names(gui, 'adding a server')


@test()
def charts_speak(gui):
    gui.find(contains=': Connected')
    gui.key('ctrl+b')
    gui.label('Finished.', limit=120)
    check_names(gui, 'results')
    charts = [node for node in gui.nodes(role='image', visible=True) if gui.showing(node) and
              node.getState().contains(pyatspi.STATE_FOCUSABLE)]
    assert len(charts) >= 5, charts
    for chart in charts:
        assert chart.description.startswith(chart.name + ': '), (chart.name, chart.description)
    throughput = next(node for node in charts if node.name == 'Throughput')
    assert re.search(r'tokens/s now, highest [\d.]+, lowest [\d.]+ over ', throughput.description), \
        throughput.description
    # Each has a table of its values, by the keyboard too.
    assert all(gui.find_now(f'Menu of the chart “{chart.name}”', 'push button') for chart in charts[:3])
    gui.press('History', 'page tab')
    gui.find('Runs of the history', 'tree table')
    check_names(gui, 'history')


class Focus:
    """What takes the keyboard focus, as a screen reader is told it."""

    def __init__(self, gui):
        self.gui = gui
        self.taken = []
        pyatspi.Registry.registerEventListener(self.moved, 'object:state-changed:focused')

    def moved(self, event):
        if event.detail1 and event.host_application == self.gui.app:
            self.taken.append((event.source.getRoleName(), event.source.name))

    def step(self, key):
        before = len(self.taken)
        self.gui.key(key)
        self.gui.wait(lambda: len(self.taken) > before, f'{key} to move the focus, after {self.taken}')
        return self.taken[-1]

    def stop(self):
        pyatspi.Registry.deregisterEventListener(self.moved, 'object:state-changed:focused')


def walk_by_tab(gui, focus):
    """Tab until it comes round."""
    seen = [focus.step('Tab')]
    while len(seen) < 80:
        taken = focus.step('Tab')
        if taken == seen[0]:
            return [name for _role, name in seen]
        seen.append(taken)
    raise AssertionError(f'Tab does not come round: {seen}')


@test()
def tab_reaches_everything(gui):
    gui.find(contains=': Connected')
    gui.find(contains='Simulated Tiny 1B: ', role='list item')
    focus = Focus(gui)
    try:
        seen = walk_by_tab(gui, focus)
        for name in ('Models', 'Prompt', 'Benchmark', 'Main menu', 'Search models', 'Refresh models', 'Model',
                     'Parameters', 'New conversation', 'Attach text files'):
            assert name in seen, f'{name} is not in {seen}'
        assert any(name.startswith('Server ') for name in seen), seen
        assert any(name.startswith('Details of Simulated') for name in seen), f'no model in {seen}'
        gui.key('ctrl+2')
        gui.find('Run', 'push button')
        seen = walk_by_tab(gui, focus)
        for name in ('Run', 'Load', 'Stop after', 'Unit of the stop', 'More Options'):
            assert name in seen, f'{name} is not in {seen}'
    finally:
        focus.stop()


def overlay():
    """Accelerator -> what the help overlay says it does."""
    tree = ElementTree.parse(os.path.join(SOURCE, 'ui', 'gtk', 'help-overlay.ui'))
    found = {}
    for item in tree.iter('object'):
        if item.get('class') == 'GtkShortcutsShortcut':
            values = {value.get('name'): value.text for value in item.findall('property')}
            found[values['accelerator']] = values['title']
    return found


def for_xdotool(accelerator):
    *modifiers, key = re.findall(r'[^<>]+', accelerator)
    return '+'.join([KEYS[name] for name in modifiers] + [key])


def press(gui, shortcuts, accelerator):
    shortcuts.pop(accelerator)
    gui.key(for_xdotool(accelerator))


def prompt_has_focus(gui):
    node = gui.find('Prompt', 'text')
    gui.wait(lambda: node.getState().contains(pyatspi.STATE_FOCUSED), 'the prompt to have the focus')
    return node


@test(url=slow.url)
def every_shortcut_of_the_overlay_works(gui):
    gui.find(contains=': Connected')
    shortcuts = overlay()
    # The prompt
    node = prompt_has_focus(gui)
    gui.type('one')
    press(gui, shortcuts, '<Shift>Return')
    gui.type('two')
    gui.wait(lambda: gui.text_of(node) == 'one\ntwo', 'two lines')
    press(gui, shortcuts, 'Return')
    gui.find('Conversation', 'text', text='word word')
    press(gui, shortcuts, 'Escape')
    gui.find('Conversation', 'text', text='Stopped. What had come is kept.')
    press(gui, shortcuts, '<Control>n')
    gui.find('Ask the Model', 'label')
    # The side bar
    press(gui, shortcuts, '<Alt>2')
    gui.find('Search conversations', 'entry')
    press(gui, shortcuts, '<Alt>1')
    entry = gui.find('Search models', 'entry')
    press(gui, shortcuts, '<Control>f')
    gui.type('zebra')
    gui.wait(lambda: gui.text_of(entry) == 'zebra' or gui.find_now('No Results', 'label'), 'a search')
    gui.press('Clear Search', 'push button')
    gui.find(contains='1 model', role='label')
    listings = slow.listings
    press(gui, shortcuts, '<Control>r')
    gui.wait(lambda: slow.listings > listings, 'the models to be asked for again')
    press(gui, shortcuts, 'F9')
    gui.wait(lambda: not side_bar_shown(gui), 'the side bar to go')
    gui.key('F9')
    gui.wait(lambda: side_bar_shown(gui), 'the side bar to come')
    # Pages and windows
    press(gui, shortcuts, '<Control>2')
    gui.find('Run', 'push button')
    press(gui, shortcuts, '<Control>1')
    shows_page(gui, 'Prompt')
    for accelerator, name in (('<Control>l', 'Add Server'), ('<Control>comma', 'Preferences'),
                              ('<Control>question', 'Shortcuts')):
        press(gui, shortcuts, accelerator)
        gui.wait(lambda name=name: any(name in frame.name for frame in frames(gui)), f'the window {name}')
        gui.key('Escape')
        gui.wait(lambda name=name: not any(name in frame.name for frame in frames(gui)), f'{name} to close')
    press(gui, shortcuts, 'F10')
    gui.find(contains='About Tacho')
    gui.key('Escape')
    press(gui, shortcuts, '<Control>b')
    gui.press('Stop', 'push button')
    gui.find('Run', 'push button', sensitive=True)
    gui.expect_end(lambda: press(gui, shortcuts, '<Control>w'))
    gui.restart()
    gui.find(contains=': Connected')
    take_keyboard(gui)
    gui.expect_end(lambda: press(gui, shortcuts, '<Control>q'))
    assert not shortcuts, f'nobody tried {shortcuts}'


def find_window(gui):
    return subprocess.run(['xdotool', 'search', '--onlyvisible', '--pid', str(gui.process.pid), '--name', 'Tacho'],
                          check=True, capture_output=True, text=True).stdout.split()[-1]


def take_keyboard(gui):
    """What a window manager does for a new window."""
    subprocess.run(['xdotool', 'windowfocus', find_window(gui)], check=True)


def shows_page(gui, name):
    """By its tab: what a stack hides keeps its size."""
    gui.wait(lambda: gui.find_now(name, 'page tab').getState().contains(pyatspi.STATE_SELECTED), f'the page {name}')


def side_bar_shown(gui):
    """By its button: what a flap hides keeps its size."""
    return gui.find('Models', 'push button').getState().contains(pyatspi.STATE_PRESSED)


def frames(gui):
    gui.app.clear_cache()
    return [node for node in (gui.app.getChildAtIndex(i) for i in range(gui.app.childCount))
            if node is not None and gui.showing(node)]


def keep_settings(gui):
    """In a file, as a desktop with dconf does."""
    gui.env['GSETTINGS_BACKEND'] = 'keyfile'


@test(prepare=keep_settings)
def is_itself_again_after_a_restart(gui):
    gui.find(contains=': Connected')
    gui.key('alt+2')
    gui.find('Search conversations', 'entry')
    gui.key('ctrl+2')
    gui.find('Run', 'push button')
    before = gui.find('Tacho', 'frame').queryComponent().getExtents(pyatspi.WINDOW_COORDS)
    # Without a window manager the shadow is part of the window.
    subprocess.run(['xdotool', 'windowsize', find_window(gui), '1200', '700'], check=True)

    def size():
        box = gui.find('Tacho', 'frame').queryComponent().getExtents(pyatspi.WINDOW_COORDS)
        return box.width, box.height
    gui.wait(lambda: size() != (before.width, before.height), 'the window to be resized')
    left = size()
    assert side_bar_shown(gui), 'there is room for the side bar'
    gui.quit()
    gui.restart()
    gui.find(contains=': Connected')
    shows_page(gui, 'Benchmark')
    gui.find('Search conversations', 'entry')
    gui.wait(lambda: size() == left, f'the size {left} again')
    assert side_bar_shown(gui)
    gui.press('Models', 'push button')
    gui.wait(lambda: not side_bar_shown(gui), 'the side bar to go')
    gui.quit()
    gui.restart()
    shows_page(gui, 'Benchmark')
    assert not side_bar_shown(gui)


def has_keyboard(gui):
    focused = subprocess.run(['xdotool', 'getwindowfocus'], check=True, capture_output=True, text=True).stdout
    named = subprocess.run(['xdotool', 'search', '--pid', str(gui.process.pid)], check=True, capture_output=True,
                           text=True).stdout
    return focused.strip() in named.split()


@test(url=held.url)
def a_notification_leads_to_its_conversation(gui):
    gui.find(contains=': Connected')
    gui.ask('Take your time.')
    gui.key('ctrl+2')
    gui.find('Run', 'push button')
    # Another window is in front, and the pointer, which the focus follows without a window manager, elsewhere.
    subprocess.run(['xdotool', 'mousemove', '1365', '767'], check=True)
    root = re.search(r'Window id: (0x[0-9a-f]+)', subprocess.run(
        ['xwininfo', '-root'], check=True, capture_output=True, text=True).stdout).group(1)
    subprocess.run(['xdotool', 'windowfocus', root], check=True)
    gui.wait(lambda: not has_keyboard(gui), 'the window to lose the focus')
    count = len(tacho_gui.notifications)
    held.hold.set()
    gui.wait(lambda: len(tacho_gui.notifications) > count, 'a notification')
    held.hold.clear()
    assert tacho_gui.notifications[count] == ('Take your time.', 'The reply is complete'), tacho_gui.notifications
    assert 'default' in tacho_gui.notification_actions[count], tacho_gui.notification_actions
    tacho_gui.press_notification(count)
    gui.find('Conversation', 'text', text='late')
    shows_page(gui, 'Prompt')


def wake_ups(pid):
    """How often each thread of a process was woken since it began, by what it waited for."""
    found = {}
    for thread in os.listdir(f'/proc/{pid}/task'):
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            with open(f'/proc/{pid}/task/{thread}/status', encoding='utf-8') as file:
                found[thread] = int(re.search(r'^voluntary_ctxt_switches:\s+(\d+)', file.read(), re.M).group(1))
    return found


IDLE_S = 3
MOST_WAKE_UPS = 30  # a look at the server and its answer; one frame clock alone makes 180 and more


@test()
def sits_still_when_idle(gui):
    gui.find(contains=': Connected')
    gui.key('ctrl+b')  # with charts, and no cursor that blinks
    gui.label('Finished.', limit=120)
    gui.find('Results', 'label')
    counted = []

    def rests():
        """Nobody reads the tree meanwhile: that alone wakes the program."""
        before = wake_ups(gui.process.pid)
        time.sleep(IDLE_S)
        after = wake_ups(gui.process.pid)
        counted.append(sum(count - before.get(thread, 0) for thread, count in after.items()))
        return counted[-1] <= MOST_WAKE_UPS
    gui.wait(rests, f'at most {MOST_WAKE_UPS} wake-ups in {IDLE_S} s, not {counted}', limit=5 * IDLE_S)


with tacho_gui.accessibility_bus():
    test.main()
