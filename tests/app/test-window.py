#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window on the simulated server, driven through accessibility."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402

tacho_gui.enter()
test = tacho_gui.Tests()


def first_button(gui, prefix):
    """The first row button whose accessible label begins so ("Load NAME")."""
    def search():
        for node in gui.nodes(contains=prefix, role='push button', visible=True):
            if node.name.startswith(prefix) and gui.showing(node):
                return node
        return None
    return gui.wait(search, f'a button "{prefix}…"')


@test()
def opens_and_lists(gui):
    gui.find(contains=': Connected')
    gui.find('Simulated', 'label')
    assert 'models' in gui.label(' models')
    first_button(gui, 'Unload ')
    first_button(gui, 'Load ')
    gui.find('Prompt', 'text')


@test()
def loads_and_unloads(gui):
    name = 'Simulated Qwen 32B'
    gui.press(f'Load {name}', 'push button')
    gui.find(f'Unload {name}', 'push button')
    gui.press(f'Unload {name}', 'push button')
    gui.find(f'Load {name}', 'push button')


@test()
def failed_load_says_why(gui):
    gui.press('Load Simulated Broken 70B', 'push button')
    # A router says no more than this of why its child ended.
    assert gui.label('Failed to load: ') == 'Failed to load: exit code 1'
    gui.find('Try again to load Simulated Broken 70B', 'push button')


@test(url='sim:')
def cancels_a_load(gui):
    gui.press('Load Simulated Mixtral 8x7B', 'push button')
    gui.press('Cancel the change of Simulated Mixtral 8x7B', 'push button')
    gui.find('Load Simulated Mixtral 8x7B', 'push button')


@test()
def search_and_no_results(gui):
    gui.find(contains=' models', role='label')
    entry = gui.find('Search models', 'entry')
    gui.type_into(entry, 'no such model anywhere')
    gui.find('No Results', 'label')
    gui.press('Clear Search', 'push button')
    gui.find(contains='6 models', role='label')
    first_button(gui, 'Unload ')


@test()
def loads_for_a_prompt(gui):
    gui.press('Unload Simulated Llama 8B', 'push button')
    gui.find('Load Simulated Llama 8B', 'push button')
    gui.ask('Load yourself.')
    gui.replies(1)
    gui.find('Unload Simulated Llama 8B', 'push button')


@test()
def details(gui):
    gui.press('Details of Simulated Tiny 1B', 'push button')
    # A value is named by what stands before it.
    gui.find('Id: sim-tiny-1b-q8_0', 'label')
    gui.find('Context in use: 4096 tokens', 'label')


@test()
def benchmark_to_its_end(gui):
    gui.find(contains=': Connected')
    gui.key('ctrl+2')
    gui.press('Run', 'push button')
    gui.label('Finished.', limit=120)
    gui.find('Results', 'label')
    for word in ('Time to first token', 'p50', 'p99'):
        gui.find(word, 'label')
    assert '64 requests answered' in gui.label('requests answered')
    assert 'No request failed.' in gui.label('No request failed')
    badges = [node for node in gui.nodes(name='Simulated', role='label', visible=True)
              if gui.showing(node)]
    assert len(badges) >= 2, 'the results must say that they are simulated'


@test()
def benchmark_stopped(gui):
    gui.find(contains=': Connected')
    gui.key('ctrl+2')
    gui.type_into(gui.find('Stop after', 'spin button'), '100000')
    gui.press('Run', 'push button')
    gui.label('Measuring: ')
    gui.press('Stop', 'push button')
    gui.find('Stopped early', 'label')
    gui.find('Results', 'label')


def kept_runs(gui):
    """As the command line lists them."""
    done = subprocess.run([os.path.join(os.environ['TACHO_BUILD_ROOT'], 'src', 'cli', 'tacho-cli'),
                           'history', '--json'], env=gui.env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)['runs']


def start_long_run(gui, requests):
    gui.find(contains=': Connected')
    gui.key('ctrl+2')
    gui.type_into(gui.find('Stop after', 'spin button'), str(requests))
    gui.press('Run', 'push button')
    gui.label('Measuring: ')


@test()
def closing_during_a_run_asks(gui):
    start_long_run(gui, 1000000)
    gui.act(gui.find('Tacho', 'frame'), 'window.close')
    gui.press(contains='Keep Running', role='push button')
    gui.label('Measuring: ')
    gui.act(gui.find('Tacho', 'frame'), 'window.close')
    gui.expect_end(lambda: gui.press(contains='Stop and Close', role='push button'))
    runs = kept_runs(gui)  # stopped, not lost
    assert len(runs) == 1 and runs[0]['state'] != 'done', runs


@test()
def a_run_finishes_in_the_background(gui):
    start_long_run(gui, 400)
    gui.act(gui.find('Tacho', 'frame'), 'window.close')
    said = len(tacho_gui.notifications)
    gui.expect_end(lambda: gui.press(contains='Finish in Background', role='push button'))
    assert [title for title, _body in tacho_gui.notifications[said:]] == \
        ['Benchmark Goes On', 'Benchmark Ended'], tacho_gui.notifications[said:]
    assert tacho_gui.notifications[-1][1].startswith('Finished.'), tacho_gui.notifications[-1]
    runs = kept_runs(gui)
    assert len(runs) == 1 and runs[0]['state'] == 'done', runs


@test()
def a_run_in_the_background_is_brought_back(gui):
    start_long_run(gui, 1000000)
    gui.act(gui.find('Tacho', 'frame'), 'window.close')
    gui.press(contains='Finish in Background', role='push button')
    gui.gone('Tacho', 'frame')
    assert gui.run().returncode == 0
    gui.label('Measuring: ')
    gui.press('Stop', 'push button')
    gui.label('Stopped')
    assert gui.alive()


@test()
def results_are_saved(gui):
    gui.find(contains=': Connected')
    gui.key('ctrl+b')
    gui.label('Finished.', limit=120)
    gui.press('Save As', 'push button')
    gui.press(contains='CSV, a row a metric')
    path = os.path.join(gui.home, 'run')
    gui.find('Save the Results')
    gui.type(path)  # the dialog keeps the extension
    gui.key('Return')
    gui.label('Saved as ')
    with open(path + '.csv', encoding='utf-8') as saved:
        text = saved.read()
    assert 'ttft_ms' in text and 'simulated' in text.lower(), text


@test(url=tacho_gui.dead_url())
def dead_server(gui):
    gui.find(contains=': Offline')
    gui.find('Server Is Offline', 'label')
    gui.press('Retry', 'push button')
    gui.find('Server Is Offline', 'label')
    assert gui.alive()
    gui.find(contains='The server is offline', role='label')


@test(url=None)
def first_start_offers_the_ways_to_a_server(gui):
    gui.find('Welcome to Tacho', 'label')
    gui.find('Models of This Computer…', 'push button')
    gui.press('Add a Server…', 'push button')
    gui.find('Add Server', 'label')
    gui.press('Cancel', 'push button')
    gui.gone('Add Server', 'frame')
    gui.screenshot('welcome')
    gui.click(gui.find('Simulated server', 'label'))
    gui.find(contains=': Connected')
    gui.find('Prompt', 'page tab')
    gui.gone('Welcome to Tacho', 'label')


@test()
def add_dead_server(gui):
    gui.find(contains=': Connected')
    url = tacho_gui.dead_url()
    gui.key('ctrl+l')
    entry = gui.find('URL', 'text')
    # Without its scheme, as people type it.
    gui.type_into(entry, url[len('http://'):])
    gui.find(f'Will use {url}', 'label')
    gui.press('Connect', 'push button')
    gui.find(contains=': Offline')
    gui.find('Server Is Offline', 'label')
    gui.find('Retry', 'push button')
    assert gui.alive()
    # Added by a person, it is in the file that the command line reads as well.
    with open(os.path.join(gui.home, 'tacho', 'tacho.conf'), encoding='utf-8') as stream:
        text = stream.read()
    assert f'[profile {url[len("http://"):]}]' in text and f'url={url}' in text, text


@test()
def saved_server_asks_for_its_key(gui):
    gui.find(contains=': Connected')
    url = tacho_gui.dead_url()
    folder = os.path.join(gui.home, 'tacho')
    os.makedirs(folder, exist_ok=True)
    # Written by another program while the window is open.
    with open(os.path.join(folder, 'tacho.conf'), 'w', encoding='utf-8') as stream:
        stream.write(f'[profile attic]\nurl={url}\napi-key-env=TACHO_NO_SUCH_VARIABLE\n')

    gui.act(next(node for node in gui.nodes(root=gui.find(contains='Server '))
                 if 'click' in gui.actions(node)), 'click')
    gui.click(gui.find('attic', 'label'))
    gui.find('API key for attic', 'label')
    gui.find(contains='TACHO_NO_SUCH_VARIABLE', role='label')
    gui.press(contains='Go on Without', role='push button')
    gui.find(contains=': Offline')
    assert gui.alive()


@test()
def second_start_uses_the_window(gui):
    gui.find(contains=': Connected')
    done = gui.run('--url', tacho_gui.dead_url())
    assert done.returncode == 0, done
    gui.find(contains=': Offline')
    frames = list(gui.nodes(role='frame'))
    assert len(frames) == 1, frames


@test(start=False)
def exits_after_startup(gui):
    done = gui.run('--url', 'sim:', '--exit-after-startup')
    assert done.returncode == 0, done


@test(start=False)
def takes_over_what_gsettings_kept(gui):
    kept = os.path.join(gui.home, 'glib-2.0', 'settings')
    os.makedirs(kept)
    with open(os.path.join(kept, 'keyfile'), 'w', encoding='utf-8') as stream:
        stream.write("[io/github/tacho/Tacho]\nrecent-urls=['http://127.0.0.1:9', 'grpc://h:1']\n"
                     "temperature=0.25\nsystem-prompt='Be brief.'\n")
    gui.env['GSETTINGS_BACKEND'] = 'keyfile'
    path = os.path.join(gui.home, 'tacho', 'tacho.conf')
    for _ in range(2):
        done = gui.run('--url', 'sim:', '--exit-after-startup')
        assert done.returncode == 0, done
    with open(path, encoding='utf-8') as stream:
        text = stream.read()
    for line in ('[profile 127.0.0.1:9]', 'url=http://127.0.0.1:9', 'grpc=grpc://h:1',
                 'temperature=0.25', 'system-prompt=Be brief.'):
        assert text.count(line + '\n') == 1, (line, text)
    # Once: what a person takes out afterwards does not come back.
    with open(path, 'w', encoding='utf-8') as stream:
        stream.write('[inference]\n')
    done = gui.run('--url', 'sim:', '--exit-after-startup')
    assert done.returncode == 0, done
    with open(path, encoding='utf-8') as stream:
        assert 'profile' not in stream.read()


@test(start=False)
def says_what_is_wrong_with_a_url(gui):
    done = gui.run('--url', 'ftp://example.org')
    assert done.returncode == 2, done
    assert 'ftp' in done.stderr, done
    done = gui.run('--url', 'sim:', '--api-key-env', 'TACHO_NO_SUCH_VARIABLE')
    assert done.returncode == 2, done
    assert 'TACHO_NO_SUCH_VARIABLE' in done.stderr, done


with tacho_gui.accessibility_bus():
    test.main()
