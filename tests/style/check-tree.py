#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style of the tree, as TAP. Needs no git and nothing but Python.

check-tree.py ROOT          every check over the tree at ROOT
check-tree.py --self-test   every check on samples: it must pass the good ones and bite on the bad
"""
import os
import re
import sys

# A room of the core may use only those before it; `bench` and `sim` do not use each other.
ROOMS = ["base", "stream", "api", "net", "config", "service"]
LAST_ROOMS = ["store", "bench", "sim"]
OUTSIDE = {"chart": {"chart"}, "cli": {"cli"}, "app": {"app", "chart"}}
TOP = ["src", "tests", "ui", "data", "po", "docs", "build-aux", ".ci"]
MAX_COLUMNS = 100
MAX_LINES = 600

SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
C = (".c", ".h")
TEXT = C + (".py", ".sh", ".build", ".proto", ".ui", ".xml", ".in", ".md", ".txt", ".css", ".svg", ".yml", ".1")


def is_c(path):
    return path.endswith(C)


def is_text(path):
    name = os.path.basename(path)
    return "/seeds/" not in path and (path.endswith(TEXT) or name in ("dev", "POTFILES.in", "LINGUAS"))


def lines(text):
    return enumerate(text.split("\n"), 1)


def check_spdx(tree):
    for path, text in tree.items():
        if is_c(path) or path.endswith((".py", ".sh", ".proto", "meson.build")) or path == "dev":
            head = text.split("\n")
            first = head[1] if head[0].startswith("#!") and len(head) > 1 else head[0]
            if SPDX not in first:
                yield path, 1, "the first line (after #!) is not the SPDX line"


def check_blanks(tree):
    for path, text in tree.items():
        if not is_text(path):
            continue
        for number, line in lines(text):
            # In Markdown, two blanks at the end break the line.
            if line != line.rstrip() and not (path.endswith(".md") and re.search(r"\S  $", line)):
                yield path, number, "blanks at the end of the line"
            if "\t" in line and (is_c(path) or path.endswith((".py", ".sh", "meson.build", ".ui"))):
                yield path, number, "a tab"
            if "\r" in line:
                yield path, number, "a carriage return"
        if text and not text.endswith("\n"):
            yield path, text.count("\n") + 1, "no line end at the end of the file"
        if text.endswith("\n\n"):
            yield path, text.count("\n"), "empty lines at the end of the file"


def check_columns(tree):
    for path, text in tree.items():
        if is_c(path):
            for number, line in lines(text):
                if len(line) > MAX_COLUMNS:
                    yield path, number, "%d columns; at most %d" % (len(line), MAX_COLUMNS)


def check_length(tree):
    for path, text in tree.items():
        count = text.count("\n")
        if path.startswith("src/") and is_c(path) and count > MAX_LINES:
            yield path, count, "%d lines; at most %d" % (count, MAX_LINES)


def check_unfinished(tree):
    # Split, so that this file may hold them.
    words = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|TB" r"D)\b")
    for path, text in tree.items():
        if is_text(path) and path != "CONTRIBUTING.md":
            for number, line in lines(text):
                found = words.search(line)
                if found:
                    yield path, number, "%s: finish it or file it" % found.group(1)


def rooms_of(folder):
    """The rooms that files of a folder may include, or None for a folder without rules."""
    parts = folder.split("/")
    core = set(ROOMS + LAST_ROOMS)
    if parts[:2] == ["src", "core"] and len(parts) > 2:
        room = parts[2]
        if room in ROOMS:
            return set(ROOMS[:ROOMS.index(room) + 1])
        return set(ROOMS) | {room} | ({"bench"} if room == "store" else set())  # the history keeps runs
    if len(parts) > 1 and parts[0] == "src" and parts[1] in OUTSIDE:
        return core | OUTSIDE[parts[1]]
    return None


def check_includes(tree):
    include = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
    gtk = re.compile(r"^(gtk|gdk|gsk|adwaita|pango|cairo|graphene)", re.I)
    for path, text in tree.items():
        allowed = rooms_of(os.path.dirname(path)) if is_c(path) else None
        if allowed is None:
            continue
        for number, line in lines(text):
            found = include.match(line)
            if not found:
                continue
            kind, name = found.groups()
            if path.startswith(("src/core/", "src/cli/")) and gtk.match(name):
                yield path, number, "includes %s: no GTK here" % name
            if kind == "<" or name == "config.h":
                continue
            if name.startswith("../"):
                yield path, number, 'includes %s: write "room/tacho-thing.h"' % name
            elif "/" not in name:
                if path.startswith("src/core/"):
                    yield path, number, 'includes %s: write "room/tacho-thing.h"' % name
            elif name.split("/")[0] not in allowed:
                yield path, number, "includes %s, which is not for this room" % name


def check_private(tree):
    for path, text in tree.items():
        if not is_c(path) or not path.startswith("src/"):
            continue
        for number, line in lines(text):
            found = re.match(r'#include "(\w+)/[\w-]+-private\.h"', line)
            if found and "/%s/" % found.group(1) not in "/" + path:
                yield path, number, "includes the private header of another room"


def check_core_build(tree):
    for path, text in tree.items():
        if path.startswith("src/core/") and path.endswith("meson.build"):
            for number, line in lines(text):
                if re.search(r"\b(gtk|adw|gdk|gsk)_?\w*dep\b|gtk4|libadwaita", line):
                    yield path, number, "the core's build names GTK"


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.S)


def check_translations(tree):
    listed = [l.strip() for l in tree.get("po/POTFILES.in", "").split("\n")]
    listed = [l for l in listed if l and not l.startswith("#")]
    for name in listed:
        if name not in tree:
            yield "po/POTFILES.in", listed.index(name) + 1, "%s is not there" % name
    if listed != sorted(listed):
        yield "po/POTFILES.in", 1, "not sorted"
    for path, text in tree.items():
        if path.startswith("src/") and is_c(path):
            marked = re.search(r'(?<![\w])(N?_|C_|NC_|Q_|n?gettext|g_dn?gettext|g_dpgettext2?) ?\(',
                               re.sub(r"^\s*#\s*define.*$", "", without_comments(text), flags=re.M))
        elif path.startswith(("ui/", "src/", "data/")) and path.endswith(".ui"):
            marked = 'translatable="yes"' in text
        else:
            continue
        if marked and path not in listed:
            yield path, 1, "has text to translate, but is not in po/POTFILES.in"


def check_machine_paths(tree):
    words = re.compile(r"/wor" r"k/|/tmp/w" r"t/|/ho" r"me/\w|/ro" r"ot/|/opt/wh" r"eels|/tmp/pe" r"ers")
    for path, text in tree.items():
        if is_text(path):
            for number, line in lines(text):
                found = words.search(line)
                if found:
                    yield path, number, "%s is a path of some machine" % found.group(0)


def check_doc_comments(tree):
    declared = re.compile(r"^(?!typedef|static)(?:[\w ]+[ *]+)?(tacho_\w+) \(", re.M)
    defined = {}
    for path, text in tree.items():
        if path.startswith("src/core/") and path.endswith(".c"):
            for found in re.finditer(r"^/\*\*\n \* (tacho_\w+):", text, re.M):
                defined.setdefault(os.path.dirname(path), set()).add(found.group(1))
    for path, text in tree.items():
        if not (path.startswith("src/core/") and path.endswith(".h")) or path.endswith("-private.h"):
            continue
        # A header lands before its code: judge it once the room has any of it.
        folder = os.path.dirname(path)
        stem = path[:-2]
        if stem + ".c" not in tree:
            continue
        text = without_comments(text)
        for found in declared.finditer(text):
            name = found.group(1)
            if name.endswith("_get_type") or name.endswith("_quark"):
                continue
            if name not in defined.get(folder, set()):
                yield path, text.count("\n", 0, found.start()) + 1, "%s has no doc comment in a .c" % name


CHECKS = [
    ("spdx", check_spdx),
    ("blanks", check_blanks),
    ("columns", check_columns),
    ("length", check_length),
    ("unfinished", check_unfinished),
    ("includes", check_includes),
    ("private-headers", check_private),
    ("core-build", check_core_build),
    ("translations", check_translations),
    ("machine-paths", check_machine_paths),
    ("doc-comments", check_doc_comments),
]


def read_tree(root):
    tree = {}
    names = [n for n in sorted(os.listdir(root)) if os.path.isfile(os.path.join(root, n))]
    for top in TOP:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f != "__pycache__")
            names += [os.path.relpath(os.path.join(folder, f), root) for f in sorted(files)]
    for name in names:
        with open(os.path.join(root, name), "rb") as stream:
            try:
                tree[name] = stream.read().decode("utf-8")
            except UnicodeDecodeError:
                if is_text(name):
                    tree[name] = "\ufffd\t \n"
    return tree


def run_tree(root):
    tree = read_tree(root)
    if sum(is_c(path) for path in tree) < 10:
        print("Bail out! no source at %s" % root)
        return 1
    failed = False
    print("1..%d" % len(CHECKS))
    for number, (name, check) in enumerate(CHECKS, 1):
        found = list(check(tree))
        print("%s %d %s" % ("not ok" if found else "ok", number, name))
        for path, line, what in found:
            failed = True
            print("# %s:%d: %s" % (path, line, what))
            print("%s:%d: %s" % (path, line, what), file=sys.stderr)
    return 1 if failed else 0


HEAD = "/* %s */\n" % SPDX
DOC = "/**\n * tacho_a:\n */\nint\ntacho_a (void)\n{\n}\n"
# Of each check: trees in which it must find nothing, and trees in which it must find something.
SAMPLES = {
    "spdx": (
        [{"src/a.c": HEAD, "a.py": "#!/usr/bin/python3\n# %s\n" % SPDX, "meson.build": "# %s\n" % SPDX}],
        [{"src/a.c": "int a;\n"}, {"a.h": "\n" + HEAD}, {"a.py": "#!/x\nimport a\n"}, {"dev": "#!/bin/sh\n"},
         {"x/meson.build": ""}, {"a.sh": "#!/bin/sh\n\n# %s\n" % SPDX}]),
    "blanks": (
        [{"src/a.c": "a\n  b\n"}, {"a.md": "a  \nb\n"}, {"tests/fuzz/seeds/x/a.c": "a \t\r"}],
        [{"a.c": "a \n"}, {"a.h": "\ta\n"}, {"a.c": "a\r\n"}, {"a.c": "a"}, {"a.c": "a\n\n"}, {"a.md": "a \n"},
         {"dev": "a \n"}]),
    "columns": ([{"a.c": "x" * 100 + "\n" + "é" * 100 + "\n"}, {"a.md": "x" * 101}],
                [{"a.c": "x" * 101 + "\n"}, {"a.h": "ok\n" + "é" * 101}]),
    "length": ([{"src/a.c": "\n" * 600}, {"tests/a.c": "\n" * 900}], [{"src/a.c": "\n" * 601}]),
    "unfinished": ([{"a.c": "/* to do with it; tacho-XX" "XXXX */\n"}],
                   [{"a.c": "/* TO" "DO: x */\n"}, {"dev": "# FIX" "ME\n"}, {"a.ui": "<!-- XX" "X -->\n"}]),
    "includes": (
        [{"src/core/api/a.c": '#include "config.h"\n#include "api/a.h"\n#include "base/b.h"\n#include <glib.h>\n'},
         {"src/core/bench/a.c": '#include "bench/a.h"\n#include "service/b.h"\n'},
         {"src/chart/a.c": '#include "chart/a.h"\n#include "base/b.h"\n#include <gtk/gtk.h>\n'},
         {"src/app/a.c": '#include "chart/a.h"\n#include "sim/b.h"\n#include "tacho-window.h"\n'},
         {"tests/core/a.c": '#include "sim/a.h"\n'}],
        [{"src/core/base/a.c": '#include "stream/a.h"\n'}, {"src/core/api/a.h": '#include "net/a.h"\n'},
         {"src/core/bench/a.c": '#include "sim/a.h"\n'}, {"src/core/sim/a.c": '#include "bench/a.h"\n'},
         {"src/core/service/a.c": '#include "store/a.h"\n'}, {"src/core/base/a.c": '#include "chart/a.h"\n'},
         {"src/core/base/a.c": "#include <gtk/gtk.h>\n"}, {"src/core/sim/a.h": "# include <adwaita.h>\n"},
         {"src/core/sim/a.h": "#include <gdk/gdk.h>\n"}, {"src/cli/a.c": "#include <gtk/gtk.h>\n"},
         {"src/cli/a.c": '#include "chart/a.h"\n'}, {"src/chart/a.c": '#include "app/a.h"\n'},
         {"src/app/a.c": '#include "cli/a.h"\n'}, {"src/core/net/a.c": '#include "../base/a.h"\n'},
         {"src/core/net/a.c": '#include "a.h"\n'}]),
    "private-headers": ([{"src/core/net/a.c": '#include "net/a-private.h"\n'}],
                        [{"src/core/service/a.c": '#include "net/a-private.h"\n'},
                         {"src/app/a.c": '#include "net/a-private.h"\n'}]),
    "core-build": ([{"src/core/meson.build": "deps = [gio_dep]\n", "src/chart/meson.build": "gtk_dep\n"}],
                   [{"src/core/meson.build": "deps = [gtk_dep]\n"},
                    {"src/core/a/meson.build": "dependency('libadwaita-1')\n"}]),
    "translations": (
        [{"src/a.c": 'x = _("a");\n', "po/POTFILES.in": "# c\nsrc/a.c\n"}, {"src/a.c": 'foo_ ("a");\n'},
         {"src/a.c": '/* _("a") */\n#define _(x) gettext (x)\n'}, {"ui/a.ui": "<a/>\n"}],
        [{"src/a.c": 'x = _("a");\n'}, {"src/a.c": 'x = N_ ("a");\n', "po/POTFILES.in": ""},
         {"src/a.c": 'ngettext ("a", "b", 1);\n'}, {"ui/a.ui": '<a translatable="yes">b</a>\n'},
         {"po/POTFILES.in": "src/gone.c\n"},
         {"src/a.c": "", "src/b.c": "", "po/POTFILES.in": "src/b.c\nsrc/a.c\n"}]),
    "machine-paths": ([{"a.c": "/usr/share\n", "dev": "/tmp/x\n"}],
                      [{"a.c": "/wor" "k/x\n"}, {"dev": "cd /ho" "me/me\n"}, {"a.md": "/tmp/w" "t/x\n"}]),
    "doc-comments": (
        [{"src/core/b/a.h": "int tacho_a (void);\n", "src/core/b/a.c": DOC},
         {"src/core/b/a.h": "GQuark tacho_a_quark (void);\n/* int tacho_b (void); */\n", "src/core/b/a.c": ""},
         {"src/core/b/a.h": "int tacho_a (void);\n", "src/core/b/a.c": "", "src/core/b/b.c": DOC}],
        [{"src/core/b/a.h": "int tacho_a (void);\n", "src/core/b/a.c": DOC.replace("/**", "/*")},
         {"src/core/b/a.h": "const char *tacho_c (int a,\n  int b);\n", "src/core/b/a.c": DOC},
         {"src/core/b/a.h": "char *\ntacho_c (int a);\n", "src/core/b/a.c": DOC}]),
}


def self_test():
    print("1..%d" % len(CHECKS))
    failed = False
    for number, (name, check) in enumerate(CHECKS, 1):
        good, bad = SAMPLES[name]
        wrong = ["bites on the good sample %d: %s" % (i, list(check(s))) for i, s in enumerate(good) if list(check(s))]
        wrong += ["does not bite on the bad sample %d" % i for i, s in enumerate(bad) if not list(check(s))]
        print("%s %d %s" % ("not ok" if wrong or not good or not bad else "ok", number, name))
        for what in wrong:
            failed = True
            print("# %s" % what)
    return 1 if failed else 0


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "--self-test":
        return self_test()
    return run_tree(sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
