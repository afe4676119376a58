#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window as different people have it: dark, with high contrast, with large text, from right to left, on
small and large screens. Each look goes through the same pages, where nothing may be cut off. With
TACHO_SCREENSHOTS the pictures stay, to be looked at."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402

tacho_gui.enter()
import pyatspi  # noqa: E402

test = tacho_gui.Tests()
measured = {}  # look -> what others are compared with

HEBREW = '/usr/share/locale/he/LC_MESSAGES/gtk40.mo'
# A table of numbers may be wider than the window: it scrolls.
SCROLLED = ('table', 'tree table', 'text')
SEEN = ('push button', 'label', 'spin button', 'combo box', 'check box', 'entry', 'image')


def look(name, screen='1366x768', settings='', dpi=None, url='sim:fast', **env):
    """Makes a test of a function: a program on a screen of its own, with these settings of GTK."""
    def prepare(gui):
        gui.screen = tuple(int(n) for n in screen.split('x'))
        display = tacho_gui.start_display(screen)
        os.environ['DISPLAY'] = gui.env['DISPLAY'] = display
        gui.env.update(env)
        folder = os.path.join(gui.home, 'gtk-4.0')
        os.makedirs(folder)
        with open(os.path.join(folder, 'settings.ini'), 'w', encoding='utf-8') as file:
            file.write(f'[Settings]\n{settings}\n')
        if dpi is not None:
            subprocess.run(['xprop', '-root', '-format', 'RESOURCE_MANAGER', '8s', '-set', 'RESOURCE_MANAGER',
                            f'Xft.dpi:\t{dpi}\n'], check=True)
        if 'LANGUAGE' in env:
            translate(gui, env['LANGUAGE'])
        # Where it points at nothing that answers to it.
        subprocess.run(['xdotool', 'mousemove', str(gui.screen[0] - 1), str(gui.screen[1] - 1)], check=True)

    def add(function):
        function.__name__ = name
        return test(url=url, prepare=prepare)(function)
    return add


def translate(gui, language):
    """GLib translates GTK only in a program that is translated itself, and GTK takes the direction of
    writing from its translation. For a language that Tacho does not have, one without words does."""
    folder = os.path.join(os.environ['TACHO_BUILD_ROOT'], 'po')
    if not os.path.isdir(os.path.join(folder, language)):
        folder = os.path.join(gui.home, 'locale')
        target = os.path.join(folder, language, 'LC_MESSAGES')
        os.makedirs(target)
        header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
        subprocess.run(['msgfmt', '-o', os.path.join(target, 'tacho.mo'), '-'], input=header, text=True, check=True)
    gui.env['TACHO_LOCALEDIR'] = folder


def box_of(node):
    return node.queryComponent().getExtents(pyatspi.WINDOW_COORDS)


def fill_screen(gui):
    """As a window manager does for a window that is maximised."""
    window = subprocess.run(['xdotool', 'search', '--onlyvisible', '--pid', str(gui.process.pid), '--name', 'Tacho'],
                            check=True, capture_output=True, text=True).stdout.split()[-1]
    scale = int(gui.env.get('GDK_SCALE', '1'))
    width, height = gui.screen
    subprocess.run(['xdotool', 'windowmove', window, '0', '0', 'windowsize', window, str(width), str(height)],
                   check=True)
    gui.wait(lambda: abs(box_of(gui.find('Tacho', 'frame')).width * scale - width) < 80, f'a window {width} wide')


def cut_off(gui, root):
    """What a person would see a part of: wider than the window has room for."""
    tree = gui.tree
    frame = box_of(gui.find('Tacho', 'frame'))
    left, right = frame.x, frame.x + frame.width
    scrolled = set()  # the ways to what may be wider than the window
    found = []
    for way, path, role, (x, _y, width, _height) in tree.boxes(gui.owner, root.path):
        if role in {tree.roles[name] for name in SCROLLED} or any(way[:i] in scrolled for i in range(len(way))):
            scrolled.add(way)
        elif role in {tree.roles[name] for name in SEEN} and x < right and x + width > left and \
                (x < left or x + width > right):
            found.append((path, f'{x} to {x + width} of {left} to {right}'))
    return [f'{name!r}: {where}' for name, (_path, where) in
            zip(tree.names(gui.owner, [path for path, _where in found]), found)]


def page(gui, name, of):
    """Of the widget of that class alone: what a stack hides keeps its place."""
    root, = [node for node in gui.nodes(name=of) if node.getRoleName() in ('filler', 'frame')]
    found = cut_off(gui, root)
    gui.screenshot(name)
    assert not found, f'{name}: {found}'


def first_message_is_whole(gui):
    """Above it there is nothing but paper."""
    box = box_of(gui.find('Conversation', 'text'))
    scale = int(gui.env.get('GDK_SCALE', '1'))
    # Coordinates begin inside of the window's shadow.
    strip = f'{(box.width - 20) * scale}x{4 * scale}+{(box.x + 10) * scale}+{(box.y + 7) * scale}'
    colours = subprocess.run(['import', '-window', 'root', '-crop', strip, '-format', '%k', 'info:'], check=True,
                             capture_output=True, text=True).stdout
    assert colours == '1', f'{colours} colours in {strip}'


def brightness(gui):
    """Of the whole picture, 0 to 1."""
    out = subprocess.run(['import', '-window', 'root', '-resize', '1x1!', '-colorspace', 'gray', '-depth', '8',
                          'gray:-'], check=True, capture_output=True).stdout
    return out[0] / 255


def walk_through(gui):
    """The pages that people are on most."""
    gui.find(contains=': Connected')
    fill_screen(gui)
    gui.ask('Why is the sky blue?')
    gui.replies(1)
    first_message_is_whole(gui)
    page(gui, 'prompt', 'TachoPromptPane')
    gui.key('ctrl+2')
    gui.find('Run', 'push button')
    gui.click(gui.find('More Options', 'label'))
    gui.find('Seed')
    page(gui, 'plan-more', 'TachoBenchRunPage')
    gui.press('Run', 'push button')
    gui.label('Finished.', limit=120)
    gui.find('Results', 'label')
    page(gui, 'results', 'TachoBenchRunPage')
    gui.press('History')
    gui.find('1 run', 'label')
    page(gui, 'history', 'TachoBenchHistoryPage')
    gui.key('ctrl+comma')
    gui.find(contains='Preferences', role='frame')
    page(gui, 'preferences', 'Preferences')
    gui.key('Escape')
    gui.key('ctrl+1')


def side_bar_of(gui):
    """Where its middle is, as a share of the window's width."""
    frame = box_of(gui.find('Tacho', 'frame'))
    row = box_of(gui.find(contains='Simulated Tiny 1B: ', role='list item'))
    return (row.x + row.width / 2 - frame.x) / frame.width


@look('light', ADW_DEBUG_COLOR_SCHEME='prefer-light')
def light(gui):
    walk_through(gui)
    assert brightness(gui) > 0.8, brightness(gui)
    assert side_bar_of(gui) < 0.5, side_bar_of(gui)
    measured['button'] = box_of(gui.find('Parameters', 'push button')).width


@look('dark', '1920x1080', ADW_DEBUG_COLOR_SCHEME='prefer-dark')
def dark(gui):
    walk_through(gui)
    assert brightness(gui) < 0.25, brightness(gui)


@look('high-contrast', ADW_DEBUG_COLOR_SCHEME='prefer-dark', ADW_DEBUG_HIGH_CONTRAST='1')
def high_contrast(gui):
    walk_through(gui)


@look('right-to-left', LANGUAGE='he', LC_ALL='C.UTF-8')
def right_to_left(gui):
    walk_through(gui)
    assert side_bar_of(gui) > 0.5, side_bar_of(gui)


@look('large-text', dpi=144)
def large_text(gui):
    walk_through(gui)
    usual, large = measured['button'], box_of(gui.find('Parameters', 'push button')).width
    assert large > 1.25 * usual, f'{large} px, {usual} px with usual text'


@look('twice-as-large', '2732x1536', GDK_SCALE='2')
def twice_as_large(gui):
    walk_through(gui)


@look('small-screen', '1024x600')
def small_screen(gui):
    walk_through(gui)


@look('without-motion', '3840x2160', 'gtk-enable-animations=0')
def without_motion(gui):
    walk_through(gui)


with tacho_gui.accessibility_bus():
    test.main()
