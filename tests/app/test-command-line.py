#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program says without a display."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tacho_gui  # noqa: E402


def run(*arguments):
    env = {k: v for k, v in os.environ.items()
           if k not in ('DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS')}
    return subprocess.run([tacho_gui.program(), *arguments], env=env, capture_output=True, text=True,
                          timeout=30, check=False)


def test_version():
    done = run('--version')
    assert done.returncode == 0, done
    assert done.stdout.startswith('tacho '), done
    assert done.stderr == '', done


def test_help():
    done = run('--help')
    assert done.returncode == 0, done
    for word in ('--url', '--api', '--api-key-env', '--version', 'tacho-cli'):
        assert word in done.stdout, (word, done)


def test_no_display():
    done = run('--url', 'sim:')
    assert done.returncode == 1, done
    assert 'no display' in done.stderr, done
    assert 'tacho-cli' in done.stderr, done


def test_unknown_option():
    done = run('--no-such-option')
    assert done.returncode == 1, done
    assert 'no-such-option' in done.stderr, done


TESTS = [test_version, test_help, test_no_display, test_unknown_option]
print(f'1..{len(TESTS)}')
failed = False
for number, test in enumerate(TESTS, 1):
    try:
        test()
    except (AssertionError, subprocess.TimeoutExpired) as error:
        failed = True
        print(f'# {error}')
        print(f'not ok {number} {test.__name__}')
    else:
        print(f'ok {number} {test.__name__}')
sys.exit(failed)
