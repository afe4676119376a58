# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches the accessibility tree of the program. pyatspi waits for the answer to each question before it
asks the next, which takes half a second for a window; here a whole level of the tree is asked at once."""

ROOT = '/org/a11y/atspi/accessible/root'
NULL = '/org/a11y/atspi/null'
ACCESSIBLE = 'org.a11y.atspi.Accessible'

PROPERTIES = 'org.freedesktop.DBus.Properties'


class Tree:
    def __init__(self):
        from gi.repository import Atspi, Gio
        session = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        address = session.call_sync('org.a11y.Bus', '/org/a11y/bus', 'org.a11y.Bus', 'GetAddress', None,
                                    None, 0, -1, None).unpack()[0]
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | \
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.bus = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.roles = {Atspi.role_get_name(Atspi.Role(i)): i for i in range(Atspi.ROLE_COUNT)}

    def call(self, owner, path, interface, method, arguments=None):
        return self.bus.call_sync(owner, path, interface, method, arguments, None, 0, 20000, None).unpack()

    def owner_of(self, pid):
        """The bus name of the program with this process id; None while it is not there."""
        from gi.repository import GLib
        registry = 'org.a11y.atspi.Registry'
        for owner, _path in self.call(registry, ROOT, ACCESSIBLE, 'GetChildren')[0]:
            found = self.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                              'GetConnectionUnixProcessID', GLib.Variant('(s)', (owner,)))[0]
            if found == pid:
                return owner
        return None

    def ask(self, owner, questions):
        """The answers to (path, interface, method, arguments), None where one of these is gone."""
        from gi.repository import Gio, GLib
        answers = [None] * len(questions)
        waiting = [len(questions)]

        def done(bus, result, number):
            try:
                answers[number] = bus.call_finish(result).unpack()
            except GLib.Error:
                pass
            waiting[0] -= 1
        context = GLib.MainContext.new()
        context.push_thread_default()
        try:
            for number, (path, interface, method, arguments) in enumerate(questions):
                self.bus.call(owner, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE,
                              20000, None, done, number)
            while waiting[0] > 0:
                context.iteration(True)
        finally:
            context.pop_thread_default()
        return answers

    def walk(self, owner, root):
        """(way, path, role) of all below root, in their order; a way is the index on each level. Not
        GetChildren: GTK 4.8 gives a stack's pages there without the objects between them and it."""
        from gi.repository import GLib
        count = GLib.Variant('(ss)', (ACCESSIBLE, 'ChildCount'))
        found = []
        level = [((), root)]
        while level:
            counts = self.ask(owner, [(path, PROPERTIES, 'Get', count) for _way, path in level])
            below = [(way, path, i) for (way, path), answer in zip(level, counts) if answer is not None
                     for i in range(answer[0])]
            children = self.ask(owner, [(path, ACCESSIBLE, 'GetChildAtIndex', GLib.Variant('(i)', (i,)))
                                        for _way, path, i in below])
            level = [(way + (i,), answer[0][1]) for (way, _path, i), answer in zip(below, children)
                     if answer is not None and answer[0][1] != NULL]
            roles = self.ask(owner, [(path, ACCESSIBLE, 'GetRole', None) for _way, path in level])
            found += [(way, path, role[0]) for (way, path), role in zip(level, roles) if role is not None]
        return sorted(found)

    def search(self, owner, root=ROOT, name=None, role=None, contains=None, states=()):
        """(way, path) of what has the role, the name or a part of it, and each of the states as
        (number, whether)."""
        from gi.repository import GLib
        found = [(way, path) for way, path, number in self.walk(owner, root)
                 if role is None or number == self.roles[role]]
        if name is not None or contains is not None:
            which = GLib.Variant('(ss)', (ACCESSIBLE, 'Name'))
            names = self.ask(owner, [(path, PROPERTIES, 'Get', which) for _way, path in found])
            found = [item for item, answer in zip(found, names) if answer is not None and
                     (name is None or answer[0] == name) and
                     (contains is None or contains in answer[0])]
        if states:
            sets = self.ask(owner, [(path, ACCESSIBLE, 'GetState', None) for _way, path in found])
            found = [item for item, answer in zip(found, sets) if answer is not None and
                     all(bool(answer[0][n // 32] >> n % 32 & 1) == whether for n, whether in states)]
        return found

    def boxes(self, owner, root=ROOT):
        """(way, path, role's number, (x, y, width, height)) of all that has a size."""
        from gi.repository import GLib
        found = self.walk(owner, root)
        window = GLib.Variant('(u)', (1,))  # coordinates of the window
        answers = self.ask(owner, [(path, 'org.a11y.atspi.Component', 'GetExtents', window)
                                   for _way, path, _role in found])
        return [(*item, answer[0]) for item, answer in zip(found, answers)
                if answer is not None and answer[0][2] > 0 and answer[0][3] > 0]

    def names(self, owner, paths):
        from gi.repository import GLib
        which = GLib.Variant('(ss)', (ACCESSIBLE, 'Name'))
        return [answer[0] if answer is not None else '' for answer in
                self.ask(owner, [(path, PROPERTIES, 'Get', which) for path in paths])]
