#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversations: asked, stopped, edited, continued, kept, found again, deleted, exported."""

import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reply_server  # noqa: E402
import tacho_gui  # noqa: E402

tacho_gui.enter()
test = tacho_gui.Tests()

MARKDOWN = '''# A title

Some **bold** text and a [link](https://example.org/page).

- one
- two

```python
print("hello")
```

| a | b |
|---|---|
| 1 | 2 |
'''
server = reply_server.Server(MARKDOWN, 'I think about it.')
slow = reply_server.Server('word ' * 4000, rate=40)
held = reply_server.Server('late', hold=True)
dying = reply_server.Server('one two three four five', die_after=3)


def connected(gui):
    gui.find(contains=': Connected')


def show_list(gui):
    gui.press('Conversations', 'page tab')
    gui.find('Search conversations', 'entry')


def rows(gui):
    """Titles of the conversations in the list."""
    return [node.name[len('Menu of '):] for node in gui.nodes(contains='Menu of ', visible=True)
            if 'click' in gui.actions(node) and gui.showing(node)]


def menu(gui, title, item):
    gui.press(f'Menu of {title}')
    gui.press(contains=item)


@test()
def prompt_streams(gui):
    connected(gui)
    gui.ask('Say something short.')
    conversation = gui.replies(1)
    assert conversation.lstrip('\n').startswith('Say something short.'), conversation
    for word in ('TTFT ', 'tokens/s', ' tokens', 'simulated', 'context '):
        assert word in conversation, conversation
    assert gui.text_of(gui.find('Prompt', 'text')) == ''
    gui.ask('And once more.')
    conversation = gui.replies(2)
    assert conversation.index('Say something short.') < conversation.index('And once more.')


@test()
def enter_sends(gui):
    connected(gui)
    gui.find(contains='6 models', role='label')
    gui.type('first line')
    gui.key('shift+Return')
    gui.type('second line')
    gui.find('Prompt', 'text', text='first line\nsecond line')
    gui.find('Send', 'push button', sensitive=True)
    gui.key('Return')
    gui.find('Conversation', 'text', text='first line\nsecond line\n')
    gui.replies(1)


@test(url=server.url)
def markdown(gui):
    connected(gui)
    gui.ask('Explain.')
    conversation = gui.replies(1)
    assert 'A title' in conversation and '# A title' not in conversation, conversation
    assert 'Some bold text and a link.' in conversation, conversation
    assert '•\tone' in conversation and '```' not in conversation, conversation
    gui.press('Copy', 'push button')
    gui.find('Copied', 'push button')
    # Cells of the table are read one by one.
    for cell in ('a', 'b', '1', '2'):
        gui.find(cell, 'label')


@test()
def long_conversation_scrolls(gui):
    # Laying lines out while they are drawn made GTK warn, which ends the program here.
    connected(gui)
    gui.ask('a line\n' * 400)
    gui.replies(1)
    gui.ask('again')
    gui.replies(2)


@test(url=held.url)
def stop_before_first_byte(gui):
    connected(gui)
    gone = held.gone
    gui.ask('Are you there?')
    gui.press('Stop', 'push button')
    gui.find('Conversation', 'text', text='Stopped before the first token.')
    gui.find('Send', 'push button')
    # The server notices that nobody listens.
    gui.wait(lambda: held.gone > gone, 'the wire to be closed')
    gui.find('Regenerate', 'push button')


@test(url=slow.url)
def stop_keeps_text_and_continues(gui):
    connected(gui)
    gui.ask('Tell a long story.')
    gui.find('Conversation', 'text', text='word word word')
    gui.key('Escape')
    gui.find('Conversation', 'text', text='Stopped. What had come is kept.')
    before = gui.conversation().count('word')
    gui.press('Continue where it ends', 'push button')
    gui.wait(lambda: gui.conversation().count('word') > before + 3, 'more words')
    gui.press('Stop', 'push button')
    gui.find('Send', 'push button')
    asked = slow.requests[-1]['messages']
    assert asked[-1]['role'] == 'assistant' and asked[-1]['content'].startswith('word'), asked[-1]


@test(url=dying.url)
def server_dies_mid_stream(gui):
    connected(gui)
    gui.ask('Count.')
    gui.find('Conversation', 'text', text='one two three')
    gui.find('Conversation', 'text', text='Cut short: the stream ended without its end mark')
    gui.find('Regenerate', 'push button')
    gui.find('Continue where it ends', 'push button')
    gui.find('Send', 'push button')


@test(url=server.url)
def regenerate_and_versions(gui):
    connected(gui)
    gui.ask('Explain.')
    gui.replies(1)
    gui.press('Regenerate', 'push button')
    gui.find('2 of 2', 'label')
    gui.replies(1)
    gui.press('Previous version', 'push button')
    gui.find('1 of 2', 'label')
    gui.replies(1)


@test(url=server.url)
def edit_and_send_again(gui):
    connected(gui)
    gui.ask('A question with an eror.')
    gui.replies(1)
    gui.press('Edit and send again', 'push button')
    gui.find(contains='Editing an earlier prompt', role='label')
    gui.find('Prompt', 'text', text='A question with an eror.')
    gui.ask('A question without an error.')
    conversation = gui.replies(1)
    assert 'eror' not in conversation, conversation
    assert server.requests[-1]['messages'] == [
        {'role': 'user', 'content': 'A question without an error.'}], server.requests[-1]
    # What was said first is another version, not lost.
    gui.press('Previous version', 'push button')
    gui.find('Conversation', 'text', text='A question with an eror.')


@test(url=server.url)
def details_and_curl(gui):
    connected(gui)
    gui.ask('Explain.')
    gui.replies(1)
    gui.press('Details of this reply', 'push button')
    gui.find('Details of the Reply', 'frame')
    gui.find(contains='Attempt 1 · REST', role='label')
    gui.press('Copy as curl', 'push button')
    gui.find('Copied', 'push button')


@test(url=server.url)
def parameters_and_presets(gui):
    connected(gui)
    gui.press('Parameters', 'push button')
    gui.press('Presets')
    gui.press(contains='The same each time')
    gui.find(contains='temperature 0.00 · seed 1', role='label')
    gui.click(gui.find(contains='St_op at', role='check box'))
    gui.type_into(gui.find('Stop strings', 'text'), 'END,\\n\\n')
    gui.find(contains='stop strings', role='label')
    gui.press('Presets')
    gui.press(contains='Keep These')
    gui.type_into(gui.find('Name of the preset', 'text'), 'Mine')
    gui.press(contains='Keep', role='push button')
    gui.ask('With parameters.')
    gui.replies(1)
    asked = server.requests[-1]
    assert asked['temperature'] == 0 and asked['seed'] == 1, asked
    assert asked['stop'] == ['END', '\n\n'], asked
    gui.press('Presets')
    gui.press(contains='Server defaults')
    gui.find('server defaults', 'label')
    gui.press('Presets')
    gui.press(contains='Mine')
    gui.find(contains='temperature 0.00 · seed 1 · stop strings', role='label')
    gui.click(gui.find(contains='Raw completion', role='check box'))
    gui.ask('Once upon a time')
    gui.replies(2)
    asked = server.requests[-1]
    assert asked['prompt'] == 'Once upon a time' and 'messages' not in asked, asked


@test(url=slow.url)
def several_stream_at_once(gui):
    connected(gui)
    gui.ask('The first story.')
    gui.find('Conversation', 'text', text='word word')
    gui.press('New conversation', 'push button')
    gui.find('Ask the Model', 'label')
    gui.ask('The second story.')
    gui.find('Conversation', 'text', text='word word')
    assert 'first' not in gui.conversation()
    show_list(gui)
    gui.wait(lambda: rows(gui) == ['The second story.', 'The first story.'], 'both in the list')
    here = gui.conversation().count('word')
    gui.wait(lambda: gui.conversation().count('word') > here, 'the one in sight to go on')
    gui.press('Stop', 'push button')
    gui.find('Send', 'push button')


@test(url=held.url)
def tells_of_a_reply_out_of_sight(gui):
    connected(gui)
    gui.ask('Take your time.')
    gui.key('ctrl+2')
    gui.find('Run', 'push button')
    held.hold.set()
    gui.wait(lambda: gui.find_now(contains='The reply is complete', role='label') or
             any('The reply is complete' in body for _title, body in tacho_gui.notifications),
             'word of the reply')
    held.hold.clear()


@test(url=server.url)
def kept_found_and_deleted(gui):
    connected(gui)
    gui.ask('About apples and pears.')
    gui.replies(1)
    gui.press('New conversation', 'push button')
    gui.find('Ask the Model', 'label')
    gui.ask('About "quotes" AND operators*')
    gui.replies(1)
    show_list(gui)
    gui.wait(lambda: len(rows(gui)) == 2, 'two conversations')
    gui.type_into(gui.find('Search conversations', 'entry'), 'pear')
    gui.wait(lambda: rows(gui) == ['About apples and pears.'], 'the one that was looked for')
    gui.type_into(gui.find('Search conversations', 'entry'), '"quotes AND (')
    gui.wait(lambda: rows(gui) == ['About "quotes" AND operators*'] or
             gui.find_now('Nothing Found', 'label'), 'no error from signs in a search')
    gui.type_into(gui.find('Search conversations', 'entry'), 'zebra')
    gui.find('Nothing Found', 'label')
    gui.press('Show All Conversations', 'push button')
    gui.wait(lambda: len(rows(gui)) == 2, 'both again')
    menu(gui, 'About apples and pears.', 'Pin')
    gui.wait(lambda: rows(gui)[0] == 'About apples and pears.', 'the pinned one on top')
    menu(gui, 'About apples and pears.', 'Delete')
    gui.wait(lambda: len(rows(gui)) == 1, 'it to go')
    gui.screenshot('deleted')
    gui.press(contains='Undo', role='push button')
    gui.wait(lambda: len(rows(gui)) == 2, 'it to come back')
    menu(gui, 'About apples and pears.', 'Rename')
    entry = gui.find('Title', 'text')
    gui.type_into(entry, 'Fruit')
    gui.press(contains='Rename', role='push button')
    gui.wait(lambda: 'Fruit' in rows(gui), 'the new name')
    # Later than a toast is there, too.
    menu(gui, 'Fruit', 'Delete')
    gui.wait(lambda: len(rows(gui)) == 1, 'it to go')
    menu(gui, 'About "quotes" AND operators*', 'Delete')
    gui.wait(lambda: not rows(gui), 'the other to go')
    gui.press('More for conversations')
    gui.press(contains='Deleted Conversations')
    gui.find(contains='2 messages', role='label')
    gui.screenshot('bin')
    gui.press('Restore Fruit', 'push button')
    gui.wait(lambda: rows(gui) == ['Fruit'], 'it to be in the list again')
    gui.press('Delete About "quotes" AND operators* for good', 'push button')
    gui.press(contains='Delete for Good', role='push button')
    gui.find('Nothing Deleted', 'label')
    gui.key('Escape')
    gui.gone('Nothing Deleted', 'label')
    gui.quit()
    with sqlite3.connect(os.path.join(gui.home, 'conversations.db')) as database:
        assert database.execute('select title from conversations').fetchall() == [('Fruit',)]


@test(url=server.url)
def there_after_a_restart(gui):
    connected(gui)
    gui.ask('Remember me.')
    gui.replies(1)
    gui.quit()
    gui.restart()
    connected(gui)
    show_list(gui)
    gui.wait(lambda: rows(gui) == ['Remember me.'], 'the conversation')
    row = next(node for node in gui.walk(gui.find('Conversations', 'list'))
               if node.getRoleName() == 'list item')
    gui.click(row)
    gui.find('Conversation', 'text', text='Remember me.')
    conversation = gui.replies(1)
    assert 'A title' in conversation and 'TTFT' in conversation, conversation


def keep_settings(gui):
    """In a file, as a desktop with dconf does."""
    gui.env['GSETTINGS_BACKEND'] = 'keyfile'


def open_only_conversation(gui):
    show_list(gui)
    gui.click(next(node for node in gui.nodes(root=gui.find('Conversations', 'list'), role='list item')))


def written(gui, text):
    gui.wait(lambda: gui.text_of(gui.find('Prompt', 'text')) == text, f'{text!r} to be written')


@test(url=server.url, prepare=keep_settings)
def what_is_not_sent_is_kept(gui):
    connected(gui)
    gui.ask('First question')
    gui.replies(1)
    gui.type_into(gui.find('Prompt', 'text'), 'half a thought')
    gui.key('ctrl+n')
    gui.find('Ask the Model', 'label')
    written(gui, '')
    gui.type_into(gui.find('Prompt', 'text'), 'for a new one')
    open_only_conversation(gui)
    written(gui, 'half a thought')
    # An edit gives it back.
    gui.press('Edit and send again', 'push button')
    written(gui, 'First question')
    gui.press('Cancel Editing', 'push button')
    written(gui, 'half a thought')
    gui.quit()
    gui.restart()
    connected(gui)
    written(gui, 'for a new one')
    open_only_conversation(gui)
    written(gui, 'half a thought')
    # What is sent is no draft any more.
    gui.press('Send', 'push button')
    gui.replies(2)
    gui.key('ctrl+n')
    written(gui, 'for a new one')
    open_only_conversation(gui)
    written(gui, '')


def set_system_prompt(gui, text):
    gui.type_into(gui.find('System prompt', 'text'), text)


def last_asked():
    """System prompt, temperature and words of the last request."""
    asked = server.requests[-1]
    system = [m['content'] for m in asked['messages'] if m['role'] == 'system']
    return system, asked.get('temperature'), asked['messages'][-1]['content']


@test(url=server.url, prepare=keep_settings)
def each_conversation_has_its_parameters(gui):
    connected(gui)
    gui.press('Parameters', 'push button')
    gui.press('Presets')
    gui.press(contains='Precise')
    gui.press('Presets')
    gui.press(contains='Use for New Conversations')
    gui.toast('New conversations begin with these parameters')
    set_system_prompt(gui, 'Talk like a pirate.')
    gui.ask('Ahoy')
    gui.replies(1)
    assert last_asked() == (['Talk like a pirate.'], 0.2, 'Ahoy'), last_asked()
    # What a new one begins with is what was chosen for it, not what the last one had.
    gui.key('ctrl+n')
    gui.find(contains='temperature 0.20 · top-p 0.90', role='label')
    gui.ask('Good day')
    gui.replies(1)
    assert last_asked() == ([], 0.2, 'Good day'), last_asked()
    gui.key('ctrl+n')
    gui.press('Presets')
    gui.press(contains='Creative')
    gui.find(contains='temperature 1.10', role='label')
    gui.quit()
    gui.restart()
    connected(gui)
    gui.find(contains='temperature 1.10', role='label')  # not used yet, and not lost
    show_list(gui)
    gui.wait(lambda: rows(gui) == ['Good day', 'Ahoy'], 'both conversations')
    items = list(gui.nodes(root=gui.find('Conversations', 'list'), role='list item'))
    gui.click(items[1])
    gui.find(contains='system prompt · temperature 0.20', role='label')
    gui.ask('And now?')
    gui.replies(2)
    assert last_asked() == (['Talk like a pirate.'], 0.2, 'And now?'), last_asked()
    gui.quit()
    with sqlite3.connect(os.path.join(gui.home, 'conversations.db')) as database:
        kept = dict((title, (system, json.loads(settings))) for title, system, settings in
                    database.execute('select title, system_prompt, settings from conversations'))
    assert kept == {'Ahoy': ('Talk like a pirate.', {'temperature': 0.2, 'top_p': 0.9}),
                    'Good day': ('', {'temperature': 0.2, 'top_p': 0.9})}, kept


@test(url=slow.url)
def killed_while_a_reply_comes(gui):
    connected(gui)
    gui.ask('A story.')
    gui.wait(lambda: gui.conversation().count('word') > 150, 'words of more than a second')
    gui.kill()
    gui.restart()
    connected(gui)
    show_list(gui)
    gui.wait(lambda: rows(gui) == ['A story.'], 'the conversation')
    row = next(node for node in gui.walk(gui.find('Conversations', 'list'))
               if node.getRoleName() == 'list item')
    gui.click(row)
    gui.find('Conversation', 'text', text='Interrupted: Tacho ended while this reply came.')
    assert gui.conversation().count('word') > 20


@test(url=server.url, start=False)
def damaged_database(gui):
    path = os.path.join(gui.home, 'conversations.db')
    with open(path, 'wb') as file:
        file.write(b'SQLite format 3\0' + b'\x5a' * 8000)
    gui.restart()
    connected(gui)
    gui.find(contains='was damaged: it is kept as', role='label')
    assert any('conversations' in name and name != 'conversations.db' for name in os.listdir(gui.home))
    gui.ask('It still works.')
    gui.replies(1)
    gui.quit()
    with sqlite3.connect(path) as database:
        assert database.execute('pragma quick_check').fetchone()[0] == 'ok'


@test(url=server.url)
def a_full_disk_loses_no_reply(gui):
    connected(gui)
    gui.ask('There is room.')
    gui.replies(1)
    gui.fill_disk()
    gui.ask('There is none.')
    gui.toast('This conversation cannot be stored: ')
    said = gui.replies(2)
    assert said.count('There is') == 2, said
    gui.screenshot('said')
    gui.fill_disk(False)
    gui.ask('There is room again.')
    gui.replies(3)
    gui.quit()
    with sqlite3.connect(os.path.join(gui.home, 'conversations.db')) as database:
        assert database.execute('pragma quick_check').fetchone()[0] == 'ok'
    gui.restart()
    connected(gui)
    show_list(gui)
    gui.wait(lambda: 'There is room.' in rows(gui), 'the conversation')
    # What could not be stored was when there was room again.
    gui.click(next(gui.nodes(root=gui.find('Conversations', 'list'), role='list item')))
    said = gui.replies(3)
    order = [said.index(words) for words in ('There is room.', 'There is none.', 'There is room again.')]
    assert order == sorted(order), said


@test(url=server.url)
def newer_database_is_left_alone(gui):
    connected(gui)
    gui.ask('From the future.')
    gui.replies(1)
    gui.quit()
    path = os.path.join(gui.home, 'conversations.db')
    database = sqlite3.connect(path)
    database.execute('pragma user_version = 9999')
    database.close()
    with open(path, 'rb') as file:
        before = file.read()
    gui.restart()
    connected(gui)
    gui.press('Conversations', 'page tab')
    gui.find(contains='Conversations are not kept: ', role='label')
    gui.find('Conversations Are Not Kept', 'label')
    gui.ask('Not kept, but it works.')
    gui.replies(1)
    with open(path, 'rb') as file:
        assert file.read() == before


@test(url=server.url)
def exported_as_json(gui):
    connected(gui)
    gui.ask('Export me.')
    gui.replies(1)
    show_list(gui)
    gui.wait(lambda: rows(gui) == ['Export me.'], 'the conversation')
    menu(gui, 'Export me.', 'Export as JSON')
    gui.find('Export the Conversation')
    path = os.path.join(gui.home, 'out')
    gui.type(path)
    gui.key('Return')
    gui.find(contains='Conversation exported', role='label')
    with open(path + '.json', encoding='utf-8') as file:
        document = json.load(file)
    assert document['schema'] == 'tacho.conversation/1', document
    assert 'A title' in json.dumps(document)


with tacho_gui.accessibility_bus():
    try:
        test.main()
    finally:
        for one in (server, slow, held, dying):
            one.stop()
