#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark panel on the simulated server: plan, run, history, comparison."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402

# Far taller than the window: accessibility presses buttons that are scrolled out of it, and GTK 4.8
# dies of a menu that opens outside of every screen.
tacho_gui.enter('1366x3000')
test = tacho_gui.Tests()


def click(gui, node, button=1):
    """With the pointer: what GTK 4.8 gives no action to."""
    import pyatspi
    box = node.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
    subprocess.run(['xdotool', 'mousemove', str(box.x + box.width // 2),
                    str(box.y + box.height // 2), 'click', str(button)], check=True)


def open_panel(gui, page=None):
    gui.find(contains=': Connected')
    gui.key('ctrl+2')
    if page is not None:
        gui.press(page)


def spin(gui, name, value):
    """Writes into a number of the form, which is folded away after a run."""
    if gui.find_now(name, 'spin button') is None:
        gui.press('Edit Plan')
    gui.type_into(gui.find(name, 'spin button'), value)


def run_once(gui):
    gui.press('Run', 'push button')
    gui.label('Finished.', limit=120)


def checks(gui):
    """The check boxes of the runs, newest first."""
    return [node for node in gui.nodes(contains='Select the run of ', role='check box', visible=True)
            if gui.showing(node)]


def wait_for_runs(gui, n):
    words = '1 run' if n == 1 else f'{n} runs'
    gui.find(words, 'label')
    def all_of_them():
        found = checks(gui)
        return found if len(found) == n else None
    return gui.wait(all_of_them, f'{n} rows')


def tacho_cli(gui, *arguments):
    program = os.path.join(os.environ['TACHO_BUILD_ROOT'], 'src', 'cli', 'tacho-cli')
    return subprocess.run([program, *arguments], env=gui.env, capture_output=True, text=True,
                          timeout=60, check=True).stdout


@test()
def a_run_is_kept(gui):
    open_panel(gui, 'History')
    gui.find('No Runs Yet', 'label')
    gui.press('Plan a Run', 'push button')
    run_once(gui)
    gui.press('History')
    wait_for_runs(gui, 1)
    gui.find('4 at a time', 'label')
    assert len([n for n in gui.nodes(name='Simulated', visible=True) if gui.showing(n)]) >= 2
    # The same file as the command line's.
    assert '4 at a time' in tacho_cli(gui, 'history')
    click(gui, checks(gui)[0])
    gui.press('Open', 'push button')
    gui.find('Results', 'label')
    gui.find('Throughput')
    gui.press('Back to the list', 'push button')
    wait_for_runs(gui, 1)


@test()
def tags_notes_search_and_baseline(gui):
    open_panel(gui)
    run_once(gui)
    gui.press('History')
    click(gui, wait_for_runs(gui, 1)[0])
    gui.type_into(gui.find('Tags', 'text', sensitive=True), 'nightly')
    gui.type_into(gui.find('Note', 'text', sensitive=True), 'before the new driver')
    gui.find('before the new driver', 'label')
    gui.press('Set as Baseline', 'push button')
    gui.find('Baseline', 'label')
    gui.press(contains='Clear Baseline', role='push button')
    gui.find('Set as Baseline', 'push button')
    search = gui.find('Search the history', 'entry')
    gui.type_into(search, 'driver nightly')
    wait_for_runs(gui, 1)
    gui.type_into(search, 'no such word')
    gui.find('No Run Found', 'label')
    gui.press('Show All Runs', 'push button')
    wait_for_runs(gui, 1)
    listed = tacho_cli(gui, 'history', '--search', 'driver')
    assert 'nightly' in listed, listed


@test()
def deleting_can_be_undone(gui):
    open_panel(gui)
    run_once(gui)
    gui.press('History')
    click(gui, wait_for_runs(gui, 1)[0])
    gui.press('Delete', 'push button')
    gui.find('No Runs Yet', 'label')
    gui.act(gui.toast('Undo', 'push button'), 'click')
    click(gui, wait_for_runs(gui, 1)[0])
    gui.press('Delete', 'push button')
    gui.find('No Runs Yet', 'label')
    gui.wait(lambda: '4 at a time' not in tacho_cli(gui, 'history'), 'the run to be gone for good')


@test()
def two_runs_are_compared(gui):
    open_panel(gui)
    run_once(gui)
    run_once(gui)
    gui.press('History')
    for check in wait_for_runs(gui, 2):
        click(gui, check)
    gui.find('2 runs selected.', 'label')
    gui.press('Compare', 'push button')
    gui.find('Output tokens/s', 'label')
    gui.find('Time to first token, p95', 'label')
    gui.find('No difference that these samples can show', 'label')
    assert 'bootstrap' in gui.label('moving-block')
    gui.find('Time to first token: share within')
    gui.press('Swap A and B', 'push button')
    gui.find('Output tokens/s', 'label')


@test()
def runs_of_other_machines_are_imported_and_merged(gui):
    runs = [os.path.join(gui.home, name) for name in ('a.json', 'b.json')]
    for path in runs:  # as another machine would have made them
        tacho_cli(gui, 'bench', '--url', 'sim:fast', '-c', '2', '-n', '20', '--no-history', '--out', path)
    open_panel(gui, 'History')
    gui.find('No Runs Yet', 'label')
    for path in runs:
        gui.press(contains='Import', role='push button')
        gui.find('Import Runs')
        gui.type(path)
        gui.key('Return')
        gui.toast('1 run imported')
        gui.gone('Import Runs')
    for check in wait_for_runs(gui, 2):
        click(gui, check)
    gui.press('Merge', 'push button')
    gui.find('These Are No Parts of One Load', 'label')
    gui.label('The runs were not at the same time')
    gui.screenshot('objection')
    gui.press(contains='Merge Anyway', role='push button')
    gui.label('40 requests answered')
    gui.screenshot('merged')
    merged = [run for run in json.loads(tacho_cli(gui, 'history', '--json'))['runs'] if run['ok'] == 40]
    assert len(merged) == 1, merged
    # A second time is refused, and said.
    gui.press('Back to the list', 'push button')
    gui.press(contains='Import', role='push button')
    gui.find('Import Runs')
    gui.type(runs[0])
    gui.key('Return')
    gui.find('A File Was Not Imported', 'label')
    gui.label('already')
    gui.key('Escape')
    gui.gone('A File Was Not Imported', 'label')


@test()
def the_client_is_calibrated(gui):
    gui.press('Main menu')
    gui.press(contains='Calibrate')
    gui.press(contains='Measure', role='push button')
    gui.find(contains='Measuring 16 streams')
    gui.press(contains='Stop', role='push button')
    gui.find(contains='Measure Again', role='push button', sensitive=True)
    gui.screenshot('stopped')
    gui.find('Loop late', 'label')
    gui.find('16', 'label')
    gui.key('Escape')
    gui.gone('Loop late', 'label')


@test()
def unlike_runs_are_refused(gui):
    open_panel(gui)
    run_once(gui)
    spin(gui, 'At a time', '2')
    run_once(gui)
    gui.press('History')
    for check in wait_for_runs(gui, 2):
        click(gui, check)
    gui.press('Compare', 'push button')
    gui.find('These Runs Are Unlike', 'label')
    gui.label('4 at a time and 2 at a time')
    gui.press('Compare Anyway', 'push button')
    gui.find('Output tokens/s', 'label')


@test()
def a_run_is_made_again(gui):
    open_panel(gui)
    spin(gui, 'At a time', '3')
    run_once(gui)
    spin(gui, 'At a time', '1')
    gui.press('History')
    click(gui, wait_for_runs(gui, 1)[0])
    gui.press('Run Again', 'push button')
    gui.label('Finished.', limit=120)
    gui.press('History')
    wait_for_runs(gui, 2)
    assert tacho_cli(gui, 'history').count('3 at a time') == 2


@test()
def a_stopped_run_is_labelled(gui):
    open_panel(gui)
    spin(gui, 'Stop after', '100000')
    gui.press('Run', 'push button')
    gui.label('Measuring: ')
    gui.press('Stop', 'push button')
    gui.find('Stopped early', 'label')
    gui.press('History')
    wait_for_runs(gui, 1)
    gui.find('Interrupted', 'label')


@test()
def presets_fill_the_form(gui):
    open_panel(gui)
    assert 'About 66 requests, 8400 prompt and up to 4200 output tokens' in gui.label('About ')
    gui.press('Throughput', 'push button')
    gui.wait(lambda: gui.find_now('At a time', 'spin button').queryValue().currentValue == 32,
             '32 at a time')
    gui.label('As many requests as the server answers')
    gui.press('Quick look', 'push button')
    run_once(gui)
    gui.press('Edit Plan')
    # What a run has shown is what the next one is judged by.
    assert ', in about ' in gui.label('About 66 requests')


@test()
def what_cannot_be_read_is_said_at_once(gui):
    open_panel(gui)
    gui.type_into(gui.find('Prompt tokens', 'text'), '64:')
    assert 'MIN:MAX or MEAN±SD' in gui.label('is no length')
    gui.press('Run', 'push button')
    gui.find(contains='is no length', role='label')
    gui.type_into(gui.find('Prompt tokens', 'text'), '64:128')
    gui.wait(lambda: gui.find_now(contains='is no length', role='label') is None, 'no complaint')
    gui.type_into(gui.find('Sweep over', 'text'), '4,2')
    gui.press('Run', 'push button')
    gui.gone(contains='Measuring', role='label')
    gui.type_into(gui.find('Sweep over', 'text'), '1,2')
    spin(gui, 'Stop after', '8')
    gui.press('Run', 'push button')
    gui.label('Finished.', limit=120)
    assert tacho_cli(gui, 'history').count(' at a time') >= 2


@test(url=tacho_gui.dead_url().replace('127.0.0.1', '192.0.2.1'))
def a_remote_server_is_warned_of(gui):
    gui.find(contains='192.0.2.1')
    gui.key('ctrl+2')
    words = gui.label('not on this computer')
    assert 'about 12672 tokens' in words.replace(',', ''), words


def menu(gui, chart, item):
    gui.press(f'Menu of the chart “{chart}”', 'push button')
    gui.press(contains=item, role='menu item')
    gui.gone(role='menu item')


@test()
def charts_can_be_read_zoomed_and_saved(gui):
    open_panel(gui)
    run_once(gui)
    menu(gui, 'Throughput', 'Show as Table')
    gui.find('Time', 'label')
    gui.find(contains=' tokens/s', role='label')
    menu(gui, 'Throughput', 'Copy')
    gui.toast('Copied as a table')
    menu(gui, 'Throughput', 'Show as Table')
    menu(gui, 'Throughput', 'Zoom In')
    menu(gui, 'Throughput', 'Show All')
    for kind, head in (('PNG', b'\x89PNG'), ('SVG', b'<?xml')):
        menu(gui, 'Throughput', f'Save as {kind}')
        gui.find('Save the Chart')
        path = os.path.join(gui.home, 'chart')
        gui.type(path)
        gui.key('Return')
        gui.wait(lambda: os.path.exists(f'{path}.{kind.lower()}'), f'the {kind}')
        with open(f'{path}.{kind.lower()}', 'rb') as stream:
            assert stream.read().startswith(head)


@test()
def a_sweep_finds_the_best_load(gui):
    open_panel(gui)
    gui.press('Sweep', 'push button')
    spin(gui, 'Stop after', '1')
    gui.type_into(gui.find('Sweep over', 'text'), '1,2,4')
    gui.press('Run', 'push button')
    gui.label('Step 1 of 3')
    gui.label('Step 3 of 3', limit=60)
    gui.label('Finished.', limit=60)
    assert 'good requests/s' in gui.label('Best under the objective')
    gui.find('Throughput over load')
    gui.find('Save Sweep', 'push button', sensitive=True)
    gui.press('History')
    wait_for_runs(gui, 3)


@test(url='sim:fast')
def a_run_that_goes_on_is_in_sight(gui):
    open_panel(gui)
    spin(gui, 'Stop after', '100000')
    gui.press('Run', 'push button')
    assert 'left' in gui.label(' left')
    assert 'of a processor' in gui.label('This computer: event loop late by')
    for chart in ('Throughput', 'Requests in flight', 'Time to first token', 'Gap between chunks',
                  'Whole request', 'Requests ended', 'In use', 'Histogram', 'Share within'):
        gui.find(chart, 'image')
    gui.press('Stop', 'push button')
    gui.label('Stopped early')


def without_history(gui):
    """A place where no file can be made."""
    gui.env['TACHO_HISTORY'] = '/dev/null/history.db'


@test(prepare=without_history)
def a_history_that_fails_loses_no_result(gui):
    open_panel(gui)
    run_once(gui)
    gui.label('The history: ')
    gui.find('Results', 'label')
    gui.press('History')
    gui.find('The History Cannot Be Read', 'label')
    gui.press('Try Again', 'push button')
    gui.find('The History Cannot Be Read', 'label')


@test()
def a_full_disk_loses_no_result(gui):
    open_panel(gui)
    run_once(gui)
    gui.fill_disk()
    run_once(gui)
    gui.label('The history: ')
    gui.find('Results', 'label')
    gui.screenshot('said')
    gui.fill_disk(False)
    run_once(gui)
    gui.press('History')
    wait_for_runs(gui, 2)  # the one that could not be written is in the window alone


with tacho_gui.accessibility_bus():
    test.main()
