#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every language of po/LINGUAS is whole and valid, as TAP.

test-translations.py ROOT
"""
import os
import re
import subprocess
import sys

PO = os.path.join(sys.argv[1], 'po')


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=dict(os.environ, LC_ALL='C.UTF-8'))
    return done.returncode, done.stdout


def languages():
    with open(os.path.join(PO, 'LINGUAS'), encoding='utf-8') as stream:
        return [line.strip() for line in stream if line.strip() and not line.startswith('#')]


def is_valid(path):
    """Placeholders, plural forms, line ends, header."""
    status, output = run('msgfmt', '--check', '--statistics', '-o', os.devnull, path)
    assert status == 0, output
    assert 'untranslated' not in output and 'fuzzy' not in output, output


def has_all_of_the_template(path):
    status, output = run('msgcmp', path, os.path.join(PO, 'tacho.pot'))
    assert status == 0, output


def keeps_one_mnemonic(path):
    """An underline that is lost or doubled takes the key, or shows a bar in the word."""
    status, output = run('msgattrib', '--no-wrap', path)
    assert status == 0, output
    for source, text in re.findall(r'^msgid "(.*)"\nmsgstr "(.*)"$', output, re.M):
        if re.search(r'_[A-Za-z]', source) and '__' not in source:
            assert text.count('_') == source.count('_'), (source, text)


def template_knows_each_source():
    with open(os.path.join(PO, 'POTFILES.in'), encoding='utf-8') as stream:
        for line in stream:
            path = line.strip()
            if path and not path.startswith('#'):
                assert os.path.exists(os.path.join(PO, '..', path)), path


TESTS = [(template_knows_each_source, ())]
for language in languages():
    for check in (is_valid, has_all_of_the_template, keeps_one_mnemonic):
        TESTS.append((check, (os.path.join(PO, language + '.po'),)))
print(f'1..{len(TESTS)}')
failed = 0
for number, (test, arguments) in enumerate(TESTS, 1):
    name = ' '.join([test.__name__, *(os.path.basename(path) for path in arguments)])
    try:
        test(*arguments)
        print(f'ok {number} {name}', flush=True)
    except AssertionError as error:
        failed += 1
        for line in str(error).splitlines():
            print('#', line)
        print(f'not ok {number} {name}', flush=True)
sys.exit(failed > 0)
