#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model browser on simulated servers of several families, driven through accessibility."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402

tacho_gui.enter()
test = tacho_gui.Tests()


def listed(gui, words='6 models'):
    gui.find(contains=': Connected')
    gui.find(words, 'label')


def choose(gui, *labels):
    """An item of the menu that filters and sorts; the last label is the item."""
    gui.press(contains='Filter and sort models', role='push button')
    for label in labels:
        gui.press(label)


def rows(gui):
    """Names of the models on screen, from the top."""
    import pyatspi
    found = []
    for node in gui.nodes(contains='Details of ', visible=True):
        if gui.showing(node):
            top = node.queryComponent().getExtents(pyatspi.WINDOW_COORDS).y
            found.append((top, node.name[len('Details of '):]))
    return [name for _, name in sorted(set(found))]


def answer(gui, label, sensitive=True):
    """A button of a dialog; GTK 4.8 puts the mnemonic's underline into its name."""
    def search():
        return gui.find_now(label, 'push button', sensitive=sensitive) or \
            gui.find_now(f'_{label} {label}', 'push button', sensitive=sensitive)
    return gui.wait(search, f'the answer "{label}"')


def wait_rows(gui, expected):
    gui.wait(lambda: rows(gui) == expected, f'the models {expected}')


@test()
def searches_several_words(gui):
    listed(gui)
    gui.type_into(gui.find('Search models', 'entry'), 'simulated QWEN q4')
    gui.find('1 of 6 models', 'label')
    wait_rows(gui, ['Simulated Qwen 32B'])
    gui.type_into(gui.find('Search models', 'entry'), 'no such model')
    gui.find('No Results', 'label')
    gui.press('Clear Search', 'push button')
    gui.find('6 models', 'label')


@test()
def filters_by_state(gui):
    listed(gui)
    choose(gui, 'Loaded')
    gui.find('2 of 6 models', 'label')
    wait_rows(gui, ['Simulated Llama 8B', 'Simulated Tiny 1B'])
    gui.find(contains='a filter is on', role='push button')
    gui.screenshot('loaded')
    # A model that no longer passes leaves the list.
    gui.press('Unload Simulated Tiny 1B', 'push button')
    gui.find('1 of 6 models', 'label')
    choose(gui, 'Failed')
    gui.find('No Results', 'label')
    gui.press('Show All Models', 'push button')
    gui.find('6 models', 'label')


@test()
def filters_by_kind_and_size(gui):
    listed(gui)
    choose(gui, 'Size on Disk', '16 to 64 GB')
    gui.wait(lambda: gui.find_now(contains=' of 6 models', role='label'), 'a shorter list')
    assert 'Simulated Tiny 1B' not in rows(gui), rows(gui)
    gui.type_into(gui.find('Search models', 'entry'), 'tiny')
    gui.press('Clear Search and Filters', 'push button')
    gui.find('6 models', 'label')


@test()
def sorts_and_remembers(gui):
    listed(gui)
    choose(gui, 'Size, Largest First')
    gui.wait(lambda: rows(gui) and rows(gui)[-1] == 'Simulated Tiny 1B', 'the smallest at the end')
    choose(gui, 'State, Loaded First')
    gui.wait(lambda: rows(gui)[:2] == ['Simulated Llama 8B', 'Simulated Tiny 1B'],
             'the loaded ones at the top')
    choose(gui, 'Name')
    gui.wait(lambda: rows(gui) == sorted(rows(gui)), 'the order of names')


@test(url='sim:')
def shows_progress_and_stops_a_load(gui):
    name = 'Simulated Mixtral 8x7B'
    listed(gui)
    gui.press(f'Load {name}', 'push button')
    words = gui.wait(lambda: gui.find_now(contains='Loading ', role='label'), 'progress')
    assert '%' in words.name, words.name
    gui.screenshot('loading')
    gui.press(f'Cancel the change of {name}', 'push button')
    gui.find(f'Load {name}', 'push button')


@test()
def details_page(gui):
    listed(gui)
    gui.press('Details of Simulated Llama 8B', 'push button')
    gui.find('Quantisation', 'label')
    for name, value in (('Id', 'sim-llama-8b-q4_k_m'), ('Quantisation', 'Q4_K_M'),
                        ('Status', 'Loaded')):
        gui.find(f'{name}: {value}', 'label')
    gui.find('Chat template')
    gui.find('Parameters')
    gui.screenshot('details')
    gui.press('Copy Id', 'push button')
    gui.find(contains='Model id copied')
    gui.press('Unload Simulated Llama 8B', 'push button')
    gui.find('Load Simulated Llama 8B', 'push button')
    gui.press('Back to the models', 'push button')
    gui.find('Search models', 'entry')
    listed(gui)


@test()
def keyboard(gui):
    listed(gui)
    # What is typed in the list is searched for; down goes back to the list.
    gui.key('ctrl+f')
    gui.type('tiny')
    gui.find('1 of 6 models', 'label')
    gui.key('Down')
    gui.key('space')
    gui.find('Load Simulated Tiny 1B', 'push button')
    gui.key('space')
    gui.find('Unload Simulated Tiny 1B', 'push button')
    gui.key('Return')
    gui.find('Quantisation', 'label')
    gui.key('Escape')
    gui.find('Details of Simulated Tiny 1B', 'push button')
    # The router deletes too; nothing happens without an answer.
    gui.key('Delete')
    gui.find('Delete “Simulated Tiny 1B”?', 'label')
    gui.key('Escape')
    gui.gone('Delete “Simulated Tiny 1B”?', 'label')
    gui.type('x')
    gui.find('No Results', 'label')
    gui.key('Escape')
    gui.find('6 models', 'label')
    gui.key('F5')
    gui.find('6 models', 'label')


@test()
def unloads_all(gui):
    listed(gui)
    gui.press('Unload all models', 'push button')
    gui.find('Unload 2 Models?', 'label')
    gui.screenshot('question')
    gui.act(answer(gui, 'Unload All'), 'click')
    gui.find('Load Simulated Llama 8B', 'push button')
    gui.find('Load Simulated Tiny 1B', 'push button')
    gui.find('Unload all models', 'push button', sensitive=False)


@test(url='sim:ollama-fast')
def pulls_and_deletes(gui):
    listed(gui)
    gui.press('Pull a model', 'push button')
    gui.find('Pull a Model', 'label')
    answer(gui, 'Pull', sensitive=False)
    gui.type_into(gui.find('Name of the model', 'text'), 'sim-fresh:1b')
    gui.screenshot('dialog')
    gui.act(answer(gui, 'Pull'), 'click')
    gui.find(contains='“sim-fresh:1b” is on the server')
    gui.find('7 models', 'label')
    gui.press('Details of sim-fresh:1b', 'push button')
    gui.press('Delete…', 'push button')
    gui.find('Delete “sim-fresh:1b”?', 'label')
    gui.find(contains='from the disk of the server')
    gui.screenshot('delete')
    gui.act(answer(gui, 'Delete'), 'click')
    gui.find(contains='“sim-fresh:1b” was deleted')
    listed(gui)


@test(url='sim:vllm-fast')
def loads_an_adapter(gui):
    listed(gui, '1 model')
    gui.press('Load an adapter', 'push button')
    gui.find('Load an Adapter', 'label')
    answer(gui, 'Load', sensitive=False)
    gui.type_into(gui.find('Name of the adapter', 'text'), 'my-adapter')
    gui.type_into(gui.find('Folder on the server', 'text'), '/adapters/mine')
    gui.screenshot('dialog')
    gui.act(answer(gui, 'Load'), 'click')
    gui.find(contains='The adapter “my-adapter” is loaded')
    gui.find('Details of my-adapter', 'push button')
    # Not where there is none of that.
    assert gui.find_now('Pull a model', 'push button') is None


@test(url='sim:openai-fast')
def offers_what_the_server_has(gui):
    listed(gui, '2 models')
    for absent in ('Pull a model', 'Load an adapter', 'Unload all models'):
        assert gui.find_now(absent, 'push button') is None, absent
    assert gui.find_now(contains='Load ', role='push button') is None
    gui.press(contains='Details of ', role='push button')
    gui.find('Copy Id', 'push button')
    assert gui.find_now('Delete…', 'push button') is None


@test()
def server_status(gui):
    listed(gui)
    gui.press('Server status')
    # Two models of 32 slots each.
    gui.find('Slots: 0 of 64 busy', 'label')
    gui.find('Waiting', 'label')
    gui.screenshot('open')
    gui.press('Server status')
    gui.gone('Slots', 'label')


@test(url='sim:openai-fast')
def no_status_where_nothing_is_told(gui):
    listed(gui, '2 models')
    assert gui.find_now('Server status') is None


@test(url=tacho_gui.dead_url())
def offline_page(gui):
    gui.find('Server Is Offline', 'label')
    gui.find('Retry', 'push button')
    gui.screenshot('page')


if __name__ == '__main__':
    test.main()
