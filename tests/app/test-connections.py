#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers found, added, tried, trusted, edited and removed by a person."""

import contextlib
import http.server
import json
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402

tacho_gui.enter()
test = tacho_gui.Tests()

SOURCE = os.environ['TACHO_SOURCE_ROOT']
CLI = os.path.join(os.environ['TACHO_BUILD_ROOT'], 'src', 'cli', 'tacho-cli')
PEM = os.path.join(SOURCE, 'tests', 'core', 'net', 'data', 'server.pem')


class Small(http.server.BaseHTTPRequestHandler):
    """A server that wants a key (401 without it), or is none for models at all."""

    key = None
    page = False

    def do_GET(self):
        refused = self.key is not None and self.headers.get('Authorization') != f'Bearer {self.key}'
        if self.page:
            status, body = 200, b'<html><title>Router setup</title></html>'
        elif refused:
            status, body = 401, b'{"error":{"message":"No such key"}}'
        elif self.path.endswith('/v1/models'):
            status = 200
            body = b'{"object":"list","data":[{"id":"tiny","object":"model"}]}'
        else:
            status, body = 404, b'{"error":{"message":"Not found"}}'
        self.send_response(status)
        self.send_header('Content-Type', 'text/html' if self.page else 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *unused):
        pass


@contextlib.contextmanager
def small(**attributes):
    handler = type('Handler', (Small,), attributes)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f'http://127.0.0.1:{server.server_address[1]}'
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def simulated(*arguments):
    process = subprocess.Popen([CLI, 'simulate', *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)


def serve_no_keyring():
    """Whoever asks for the keyring gets an error at once, and no daemon is started for it."""
    from gi.repository import Gio, GLib
    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    bus.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName',
                  GLib.Variant('(su)', ('org.freedesktop.secrets', 0)), None, 0, -1, None)
    return bus


def config_path(gui):
    return os.path.join(gui.home, 'tacho', 'tacho.conf')


def write_config(gui, text):
    os.makedirs(os.path.dirname(config_path(gui)), exist_ok=True)
    with open(config_path(gui), 'w', encoding='utf-8') as stream:
        stream.write(text)


def read_config(gui):
    try:
        with open(config_path(gui), encoding='utf-8') as stream:
            return stream.read()
    except FileNotFoundError:
        return ''


def activate(gui, action, parameter=None):
    """As a row of the connection menu does."""
    argument = '[]' if parameter is None else f"[<'{parameter}'>]"
    subprocess.run(['gdbus', 'call', '--session', '--dest', 'io.github.tacho.Tacho', '--object-path',
                    '/io/github/tacho/Tacho/window/1', '--method', 'org.gtk.Actions.Activate', action,
                    argument, '{}'], check=True, stdout=subprocess.DEVNULL, env=gui.env)


def open_menu(gui):
    button = gui.find(contains='Server ')
    gui.act(next(node for node in gui.nodes(root=button) if 'click' in gui.actions(node)), 'click')
    gui.find('Servers', 'list')


def choose(gui, name, item):
    """Of the menu that the row of a server has."""
    open_menu(gui)
    gui.press(f'Menu of {name}', 'push button')
    gui.press(item, 'menu item')


def edit(gui, name):
    choose(gui, name, 'Edit…')
    gui.find('Edit Server', 'label')


def add(gui, url):
    gui.key('ctrl+l')
    gui.type_into(gui.find('URL', 'text'), url)


def step(gui, name, state):
    """The row of a step of the test, once it is so."""
    return gui.find(contains=f'{name}: {state}.').name


@test()
def mends_a_url(gui):
    gui.find(contains=': Connected')
    url = tacho_gui.dead_url()
    bare = url[len('http://'):]
    add(gui, bare)
    gui.find(f'Will use {url}', 'label')
    gui.find(f'Will be called {bare}', 'label')
    gui.screenshot('form')
    # What is wrong is said where it is wrong, and nothing that was typed is lost.
    gui.type_into(gui.find('URL', 'text'), 'ftp://example.org')
    gui.label('ftp')
    gui.press('Connect', 'push button')
    gui.label('ftp')
    gui.type_into(gui.find('URL', 'text'), bare)
    gui.type_into(gui.find('Name', 'text'), 'attic')
    gui.press('Connect', 'push button')
    gui.find(contains=': Offline')
    text = read_config(gui)
    assert '[profile attic]' in text and f'url={url}' in text, text


@test()
def missing_fields_are_named(gui):
    gui.find(contains=': Connected')
    gui.key('ctrl+l')
    gui.find('URL', 'text')
    gui.press('Connect', 'push button')
    gui.label('Enter the address of a server')
    gui.screenshot('missing')
    # Closing a form with something in it asks.
    gui.type_into(gui.find('URL', 'text'), 'example.org')
    gui.key('Escape')
    gui.press(contains='Go on Editing', role='push button')
    gui.label('Will use http://example.org')
    gui.key('Escape')
    gui.press(contains='Discard', role='push button')
    gui.gone('URL', 'text')
    assert 'example.org' not in read_config(gui)


@test()
def key_stays_unchanged(gui):
    gui.find(contains=': Connected')
    url = tacho_gui.dead_url()
    write_config(gui, f'[profile attic]\nurl={url}\napi-key-in-keyring=true\ntimeout-first=7\n')
    edit(gui, 'attic')
    gui.find('API Key (unchanged)', 'text')
    gui.label('There is no keyring here')
    gui.screenshot('unchanged')
    gui.type_into(gui.find('Model to use where none is chosen', 'text'), 'tiny')
    gui.press('Save', 'push button')
    gui.gone('API Key (unchanged)')
    text = read_config(gui)
    assert 'api-key-in-keyring=true' in text and 'model=tiny' in text, text
    assert 'timeout-first=7' in text, text
    # The key was given for this address, and goes to no other.
    edit(gui, 'attic')
    gui.type_into(gui.find('URL', 'text'), 'https://example.org')
    gui.label('The stored key was given for another address')
    gui.find('API Key', 'text')
    gui.type_into(gui.find('URL', 'text'), url)
    gui.find('API Key (unchanged)', 'text')
    gui.press('Forget the stored key', 'push button')
    gui.find('API Key', 'text')
    gui.press('Save', 'push button')
    gui.wait(lambda: 'api-key-in-keyring' not in read_config(gui), 'the key to be forgotten')


@test()
def key_without_a_keyring(gui):
    gui.find(contains=': Connected')
    with small(key='secret-of-the-attic') as url:
        add(gui, url)
        gui.type_into(gui.find('API Key', 'text'), 'secret-of-the-attic')
        gui.press('Connect', 'push button')
        gui.label('it is kept until Tacho is closed')
        gui.find(contains=': Connected')
        text = read_config(gui)
        assert 'api-key-in-keyring=true' in text and 'secret' not in text, text
        # Once more, in the same session: the key is still there.
        activate(gui, 'open-url', 'sim:fast')
        gui.find(contains='Server Simulated')
        activate(gui, 'open-server', url[len('http://'):])
        gui.find(contains=f'Server {url[len("http://"):]}: Connected')


@test()
def test_says_what_fails(gui):
    gui.find(contains=': Connected')
    add(gui, tacho_gui.dead_url())
    gui.press('Test', 'push button')
    assert 'Nothing listens' in step(gui, 'Connect', 'Failed')
    step(gui, 'Find the host', 'OK')
    step(gui, 'Which API', 'Not tried')
    gui.label('The server can be saved all the same')
    gui.screenshot('refused')
    entry = gui.find('URL', 'text')
    with small(key='right') as url:
        gui.type_into(entry, url)
        gui.gone(contains='Connect: Failed')
        gui.press('Test', 'push button')
        assert 'No such key' in step(gui, 'Which API', 'Failed')
        assert 'wants a key' in step(gui, 'API key', 'Failed')
        gui.screenshot('401')
        gui.type_into(gui.find('API Key', 'text'), 'wrong')
        gui.press('Test', 'push button')
        assert 'refuses the key' in step(gui, 'API key', 'Failed')
        gui.type_into(gui.find('API Key', 'text'), 'right')
        gui.press('Test', 'push button')
        assert 'takes it' in step(gui, 'API key', 'OK')
        gui.label('Everything works.')
        gui.label('Found out: OpenAI-compatible')
        gui.screenshot('works')
    with small(page=True) as url:
        gui.type_into(entry, url)
        gui.press('Test', 'push button')
        assert 'Router setup' in step(gui, 'Which API', 'Failed')
    gui.key('Escape')
    gui.press(contains='Discard', role='push button')


@test()
def unknown_certificate_asks(gui):
    gui.find(contains=': Connected')
    with simulated('--api', 'fast', '--tls-cert', PEM, '--tls-key', PEM) as url:
        assert url.startswith('https://'), url
        add(gui, url)
        gui.press('Test', 'push button')
        assert 'not trusted' in step(gui, 'Encryption', 'Failed')
        gui.find('Trust this certificate?', 'label')
        gui.label('This machine does not trust it: ')
        fingerprint = subprocess.run(
            ['openssl', 'x509', '-in', PEM, '-noout', '-fingerprint', '-sha256'],
            capture_output=True, text=True, check=False).stdout.split('=')[-1].strip()
        if fingerprint:
            gui.find(fingerprint, 'label')
        gui.screenshot('asks')
        gui.press('Trust This Certificate', 'push button')
        assert 'pinned' in step(gui, 'Encryption', 'OK')
        gui.label('Everything works.')
        gui.press('Connect', 'push button')
        gui.find(contains=f'Server {url[len("https://"):]}: Connected')
        assert 'pin=sha256:' in read_config(gui)


@test()
def headers_and_limits(gui):
    gui.find(contains=': Connected')
    url = tacho_gui.dead_url()
    write_config(gui, f'[profile attic]\nurl={url}\nheaders=X-Team: blue;\nbackoff=2\ntimeout-first=7\n')
    edit(gui, 'attic')
    gui.find('Extra Headers', 'label')
    gui.find('1 header', 'label')  # what is set is not folded away
    gui.type_into(gui.find('Header name', 'text'), 'Authorization')
    gui.label('This header carries a secret')
    gui.type_into(gui.find('Header name', 'text'), 'X-Team')
    first = gui.find(contains='To the first byte', role='text')
    gui.type_into(first, 'soon')
    gui.label('seconds from ')
    gui.press('Save', 'push button')  # does not, and loses nothing
    gui.label('seconds from ')
    gui.type_into(first, '2m')
    gui.screenshot('folded-open')
    gui.press('Save', 'push button')
    gui.gone('Edit Server')
    text = read_config(gui)  # two minutes are the default, which is not written
    assert 'timeout-first' not in text and 'backoff=2' in text, text
    assert 'headers=X-Team: blue;' in text, text


@test()
def a_server_is_copied_removed_and_brought_back(gui):
    gui.find(contains=': Connected')
    url = tacho_gui.dead_url()
    write_config(gui, f'[profile attic]\nurl={url}\nheaders=X-Team: blue;\n')
    choose(gui, 'attic', 'Duplicate…')
    gui.find('Add Server', 'label')
    gui.press('Connect', 'push button')
    gui.wait(lambda: '[profile attic (copy)]' in read_config(gui), 'the copy')
    assert read_config(gui).count('headers=X-Team: blue;') == 2, read_config(gui)
    gui.find(contains='Server attic (copy): Offline')
    choose(gui, 'attic', 'Remove')
    gui.toast('“attic” removed')
    assert '[profile attic]' not in read_config(gui)
    gui.act(gui.toast('Undo', 'push button'), 'click')
    gui.wait(lambda: '[profile attic]' in read_config(gui), 'it back')
    open_menu(gui)
    gui.find(contains='retrying in', role='label')
    gui.screenshot('menu')


@test()
def one_that_is_not_saved_can_be(gui):
    gui.find(contains=': Connected')
    with small() as url:
        assert gui.run('--url', url).returncode == 0
        name = url[len('http://'):]
        gui.find(f'Server {name}: Connected')
        choose(gui, name, 'Save…')
        gui.find('Add Server', 'label')
        gui.press('Connect', 'push button')
        gui.wait(lambda: f'url={url}' in read_config(gui), 'it in the file')


with tacho_gui.accessibility_bus():
    no_keyring = serve_no_keyring()
    test.main()
