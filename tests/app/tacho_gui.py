# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives the real window the way a screen reader does: an X server and a session bus of its own, the
accessibility bus, the program, and helpers that find, press and type. No sleeps: every wait polls with
a limit while the accessibility bus is served."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from tacho_tree import ROOT, Tree

LIMIT = 60.0
STEP = 0.05
INSIDE = 'TACHO_GUI_INSIDE'
LAUNCHERS = ('/usr/libexec/at-spi-bus-launcher', '/usr/lib/at-spi2-core/at-spi-bus-launcher')


def skip(reason):
    print(f'1..0 # SKIP {reason}')
    sys.exit(0)


def start_display(screen):
    """An X server on a display that nobody has, so that several tests can run beside each other. It
    ends with this process, whatever that becomes."""
    import ctypes
    reader, writer = os.pipe()

    def die_with_parent():
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    subprocess.Popen(['Xvfb', '-displayfd', str(writer), '-screen', '0', f'{screen}x24', '-noreset',
                      '-nolisten', 'tcp'], pass_fds=[writer], preexec_fn=die_with_parent,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    number = b''
    while not number.endswith(b'\n'):
        piece = os.read(reader, 16)
        assert piece, 'Xvfb did not start'
        number += piece
    return ':' + number.decode().strip()


def enter(screen='1366x768'):
    """Runs the calling script again inside a session of its own, or skips with the reason."""
    if os.environ.get(INSIDE):
        os.dup2(int(os.environ[INSIDE]), 1)
        # Its limit of 0.8 s is for people; a machine that does something else meanwhile needs longer.
        import gi
        gi.require_version('Atspi', '2.0')
        from gi.repository import Atspi
        Atspi.set_timeout(int(1000 * LIMIT), int(1000 * LIMIT))
        return
    for tool in ('Xvfb', 'dbus-run-session', 'xdotool'):
        if shutil.which(tool) is None:
            skip(f'{tool} is not installed')
    if not any(os.path.exists(path) for path in LAUNCHERS):
        skip('at-spi2-core is not installed')
    try:
        import pyatspi  # noqa: F401
    except ImportError:
        skip('python3-pyatspi is not installed')
    screen = os.environ.get('TACHO_SCREEN', screen)
    # What the bus starts (a keyring) has a say too, but not among the results.
    results = os.dup(1)
    os.set_inheritable(results, True)
    os.dup2(2, 1)
    env = dict(os.environ, **{INSIDE: str(results)})
    env.update(GTK_A11Y='atspi', GSK_RENDERER='cairo', GDK_BACKEND='x11', GSETTINGS_BACKEND='memory',
               GTK_USE_PORTAL='0', LANG='C.UTF-8')
    # A warning ends the program, but not this script: pyatspi warns when a window goes away.
    env['TACHO_GUI_DEBUG'] = env.pop('G_DEBUG', 'fatal-warnings')
    env.pop('XAUTHORITY', None)
    env['DISPLAY'] = start_display(screen)
    command = ['dbus-run-session', '--', sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]]
    sys.stdout.flush()
    os.execvpe(command[0], command, env)


class Tests:
    """Collects functions, runs each with a program of its own, prints TAP."""

    def __init__(self):
        self.tests = []

    def __call__(self, *arguments, **options):
        def add(function):
            self.tests.append((function, arguments, options))
            return function
        return add

    def main(self):
        wanted = sys.argv[1:]
        tests = [t for t in self.tests if not wanted or t[0].__name__ in wanted]
        print(f'1..{len(tests)}', flush=True)
        failed = 0
        for number, (function, arguments, options) in enumerate(tests, 1):
            name = function.__name__
            gui = Gui(name, arguments, **options)
            try:
                with gui:
                    function(gui)
                    if gui.start:
                        gui.screenshot('end')
                        gui.quit()
            except Exception:
                failed += 1
                for line in traceback.format_exc().splitlines() + gui.report():
                    print(f'# {line}')
                print(f'not ok {number} {name}', flush=True)
            else:
                print(f'ok {number} {name}', flush=True)
        sys.exit(1 if failed else 0)


NOTIFICATIONS = '''<node><interface name="org.freedesktop.Notifications">
<method name="Notify"><arg type="s" direction="in"/><arg type="u" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/>
<arg type="u" direction="out"/></method>
<method name="CloseNotification"><arg type="u" direction="in"/></method>
<method name="GetCapabilities"><arg type="as" direction="out"/></method>
<signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
</interface></node>'''
notifications = []  # (title, body) of all that the desktop was asked to show
notification_actions = []  # the actions of each, as pairs of a name and words


def serve_notifications():
    """What a desktop has on its session bus; GLib warns where it is missing."""
    from gi.repository import Gio, GLib
    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)

    def call(_bus, _sender, _path, _interface, method, parameters, invocation):
        if method == 'Notify':
            notifications.append((parameters[3], parameters[4]))
            notification_actions.append(parameters[5])
            invocation.return_value(GLib.Variant('(u)', (len(notifications),)))
        elif method == 'GetCapabilities':
            invocation.return_value(GLib.Variant('(as)', (['actions', 'body'],)))
        else:
            invocation.return_value(None)
    bus.register_object('/org/freedesktop/Notifications',
                        Gio.DBusNodeInfo.new_for_xml(NOTIFICATIONS).interfaces[0], call, None, None)
    bus.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName',
                  GLib.Variant('(su)', ('org.freedesktop.Notifications', 0)), None, 0, -1, None)
    return bus  # without a holder it would be closed


def press_notification(number, action='default'):
    """As a person does who presses the number-th notification, counted from 0."""
    from gi.repository import Gio, GLib
    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    bus.emit_signal(None, '/org/freedesktop/Notifications', 'org.freedesktop.Notifications',
                    'ActionInvoked', GLib.Variant('(us)', (number + 1, action)))


@contextlib.contextmanager
def accessibility_bus():
    bus = serve_notifications()  # noqa: F841
    launcher = next(path for path in LAUNCHERS if os.path.exists(path))
    process = subprocess.Popen([launcher, '--launch-immediately'], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def dead_url():
    """An address at which nothing listens."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return f'http://127.0.0.1:{sock.getsockname()[1]}'


def program():
    return os.path.join(os.environ['TACHO_BUILD_ROOT'], 'src', 'app', 'tacho')


class Gui:
    def __init__(self, name, arguments, url='sim:fast', start=True, prepare=None):
        self.name = name
        self.arguments = list(arguments)
        self.url = url
        self.start = start
        self.prepare = prepare  # called with this before the program starts
        self.process = None
        self.app = None
        self.log = None

    # The program

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix='tacho-gui-')
        self.env = dict(os.environ, HOME=self.home, XDG_CONFIG_HOME=self.home,
                        XDG_CACHE_HOME=self.home, XDG_DATA_HOME=self.home,
                        TACHO_CONVERSATIONS=os.path.join(self.home, 'conversations.db'),
                        TACHO_HISTORY=os.path.join(self.home, 'history.db'),
                        G_DEBUG=os.environ['TACHO_GUI_DEBUG'])
        # What GLib, fontconfig and AT-SPI keep for the life of the process cannot be told apart
        # without their symbols; memory errors and undefined behaviour still end the program.
        self.env['ASAN_OPTIONS'] = self.env.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
        if self.prepare is not None:
            self.prepare(self)
        if not self.start:
            return self
        try:
            self.restart()
        except Exception:
            self.close()
            raise
        return self

    def restart(self):
        """Starts the program, for the first time or once more, with the same files."""
        self.start = True
        if self.log is None:
            self.log = open(os.path.join(self.home, 'log'), 'w+', encoding='utf-8', errors='replace')
        gone = self.app
        server = ['--url', self.url] if self.url is not None else []
        # Python ignores the signal of a file that may grow no more, and so does what it starts here:
        # a write then fails, as on a full disk.
        self.process = subprocess.Popen([program(), *server, *self.arguments], env=self.env,
                                        stdout=self.log, stderr=self.log, restore_signals=False)
        self.app = self.wait(lambda: self._find_app(gone), 'the program to be on the accessibility bus')
        self.tree = Tree()
        self.owner = self.wait(lambda: self.tree.owner_of(self.process.pid), 'its name on that bus')

    def fill_disk(self, full=True):
        """No file that the program writes can grow, or all can again."""
        import resource
        limit = 0 if full else resource.RLIM_INFINITY
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def kill(self):
        """Ends the program at once, as a loss of power would."""
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def __exit__(self, kind, value, trace):
        if kind is not None and self.process is not None:
            self.screenshot('failed')
            self.tree = self.dump()
        self.close()

    def quit(self):
        """Closes the window as a person does, unless the test did."""
        if self.alive():
            frame = self.find('Tacho', 'frame')
            self.expect_end(lambda: self.act(frame, 'window.close'))

    def expect_end(self, ask):
        """Does what ends the program, which must then end well, all by itself."""
        from gi.repository import GLib
        with contextlib.suppress(GLib.Error):  # it may be gone before it can answer
            ask()
        process, self.process = self.process, None
        try:
            self.wait(lambda: process.poll() is not None, 'the program to end')
        finally:
            self.process = process
        assert process.returncode == 0, f'the program ended with status {process.returncode}'

    def run(self, *arguments):
        """Starts the program once more and waits for its end."""
        return subprocess.run([program(), *arguments], env=self.env, capture_output=True, text=True,
                              timeout=LIMIT, check=False)

    def close(self):
        if self.process is None:
            shutil.rmtree(self.home, ignore_errors=True)
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.status = self.process.returncode
        self.log.flush()
        self.log.seek(0)
        self.output = self.log.read()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def report(self):
        lines = [f'the program said: {line}' for line in getattr(self, 'output', '').splitlines()[-20:]]
        return lines + getattr(self, 'tree', [])

    def alive(self):
        return self.process.poll() is None

    def _find_app(self, gone=None):
        import pyatspi
        desktop = pyatspi.Registry.getDesktop(0)
        for child in desktop:
            # One that was just killed may still be listed.
            if child is not None and child.name in ('tacho', 'Tacho') and child != gone and \
                    child.get_process_id() == self.process.pid:
                return child
        return None

    # Waiting

    def wait(self, condition, what, limit=LIMIT):
        """Serves the bus until condition() is true; what says what was waited for."""
        from gi.repository import GLib
        context = GLib.MainContext.default()
        deadline = time.monotonic() + limit
        last = None
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f'the program ended with {self.process.returncode} while '
                                     f'waiting for {what}')
            try:
                value = condition()
                if value:
                    return value
            except GLib.Error as error:  # an object that went away while it was read
                last = error
            # What takes long is looked at seldom: looking takes time from the program.
            step = STEP if deadline - time.monotonic() > limit - 1 else 5 * STEP
            tick = GLib.timeout_add(int(step * 1000), lambda: True)
            context.iteration(True)
            GLib.source_remove(tick)
            while context.iteration(False):
                pass
        raise AssertionError(f'waited {limit:.0f} s for {what}' + (f' ({last})' if last else ''))

    # Reading the tree

    def walk(self, root=None):
        import pyatspi
        root = self.app if root is None else root
        if root is self.app:
            root.clear_cache()
        stack = [root]
        while stack:
            node = stack.pop()
            if node is None:
                continue
            yield node
            try:
                children = [node.getChildAtIndex(i) for i in range(node.childCount)]
            except Exception:
                continue
            stack.extend(reversed(children))

    @staticmethod
    def text_of(node):
        try:
            text = node.queryText()
            return text.getText(0, -1)
        except Exception:
            return ''

    @staticmethod
    def showing(node):
        """GTK 4.8 leaves out the state for that: what has no size is not shown."""
        import pyatspi
        if not node.getState().contains(pyatspi.STATE_VISIBLE):
            return False
        extents = node.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
        return extents.width > 0 and extents.height > 0

    def nodes(self, root=None, sensitive=None, visible=None, **wanted):
        """What has a name, a part of it, a role and states, in the tree's order."""
        import pyatspi
        states = [(int(state), whether) for state, whether in
                  ((pyatspi.STATE_SENSITIVE, sensitive), (pyatspi.STATE_VISIBLE, visible))
                  if whether is not None]
        for way, path in self.tree.search(self.owner, ROOT if root is None else root.path,
                                          states=states, **wanted):
            node = self.follow(self.app if root is None else root, way, path)
            if node is not None:
                yield node

    @staticmethod
    def follow(node, way, path):
        """The object at the end of a way through the tree, unless that has changed meanwhile."""
        try:
            node.clear_cache()
            for index in way:
                node = node.getChildAtIndex(index)
            return node if node.path == path else None
        except Exception:
            return None

    def find_now(self, name=None, role=None, contains=None, text=None, sensitive=None, root=None,
                 clickable=False):
        for node in self.nodes(root, name=name, role=role, contains=contains, sensitive=sensitive,
                               visible=True):
            try:
                if text is not None and text not in self.text_of(node):
                    continue
                if clickable and 'click' not in self.actions(node):
                    continue  # a menu button's outer part has the name, its inner one the action
                if not self.showing(node):
                    continue
                return node
            except Exception:
                continue
        return None

    def find(self, name=None, role=None, limit=LIMIT, **rest):
        what = ', '.join(f'{k}={v!r}' for k, v in dict(name=name, role=role, **rest).items()
                         if v is not None)
        return self.wait(lambda: self.find_now(name, role, **rest), what, limit)

    def gone(self, name=None, role=None, limit=LIMIT, **rest):
        what = ', '.join(f'no {k}={v!r}' for k, v in dict(name=name, role=role, **rest).items()
                         if v is not None)
        self.wait(lambda: self.find_now(name, role, **rest) is None, what, limit)

    def label(self, contains, limit=LIMIT):
        """A label that holds these words; its whole text."""
        node = self.find(contains=contains, role='label', limit=limit)
        return node.name

    def toast(self, contains, role='label'):
        """In a toast, which is soon gone."""
        def search():
            for toast in self.nodes(name='AdwToastWidget'):
                found = self.find_now(contains=contains, role=role, root=toast)
                if found is not None:
                    return found
            return None
        return self.wait(search, f'a toast with {contains!r}')

    def dump(self):
        lines = []
        try:
            for node in self.walk():
                text = self.text_of(node)[:100]
                lines.append(f'{node.getRoleName()}: {node.name!r} {text!r}')
        except Exception as error:
            lines.append(f'the tree could not be read: {error}')
        return lines

    # Conversations

    def conversation(self):
        """What is said in the one that is in sight."""
        node = self.find_now('Conversation', 'text')
        return self.text_of(node) if node is not None else ''

    def ask(self, text):
        self.type_into(self.find('Prompt', 'text'), text)
        self.press('Send', 'push button')
        self.find('Conversation', 'text', text=text)

    def replies(self, count):
        """Waits until so many replies have their figures; what is said then."""
        self.wait(lambda: self.conversation().count(' · total ') == count, f'{count} replies')
        return self.conversation()

    # Acting

    def press(self, name=None, role=None, **rest):
        node = self.find(name, role, sensitive=True, clickable=True, **rest)
        self.act(node, 'click')
        return node

    @staticmethod
    def actions(node):
        try:
            action = node.queryAction()
            return [action.getName(i) for i in range(action.nActions)]
        except NotImplementedError:
            return []

    @classmethod
    def act(cls, node, name):
        node.queryAction().doAction(cls.actions(node).index(name))

    def click(self, node):
        """With the pointer, in the middle of it; the window is at the screen's corner."""
        import pyatspi
        box = node.queryComponent().getExtents(pyatspi.WINDOW_COORDS)
        scale = int(self.env.get('GDK_SCALE', '1'))
        subprocess.run(['xdotool', 'mousemove', str(scale * (box.x + box.width // 2)),
                        str(scale * (box.y + box.height // 2)), 'click', '1'], check=True)

    def type_into(self, node, text):
        node.queryEditableText().setTextContents(text)

    def key(self, *keys):
        subprocess.run(['xdotool', 'key', '--clearmodifiers', *keys], check=True)

    def type(self, text):
        subprocess.run(['xdotool', 'type', '--delay', '5', text], check=True)

    def screenshot(self, label):
        folder = os.environ.get('TACHO_SCREENSHOTS')
        if not folder or not self.alive() or shutil.which('import') is None:
            return
        os.makedirs(folder, exist_ok=True)
        subprocess.run(['import', '-window', 'root', os.path.join(folder, f'{self.name}-{label}.png')],
                       check=False)
