#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Flatpak manifest, the metainfo and docs/packaging.md against the tree, as TAP.

test-packaging.py ROOT
"""
import json
import os
import re
import struct
import sys
import xml.etree.ElementTree as ElementTree

ROOT = sys.argv[1]
APP_ID = 'io.github.tacho.Tacho'
MANIFEST = os.path.join('build-aux', APP_ID + '.json')


def read(*path):
    with open(os.path.join(ROOT, *path), encoding='utf-8') as stream:
        return stream.read()


def manifest_names_the_program():
    manifest = json.loads(read(MANIFEST))
    assert manifest['app-id'] == APP_ID, manifest['app-id']
    assert f"app_id = '{APP_ID}'" in read('meson.build')
    assert manifest['runtime'] == 'org.gnome.Platform' and manifest['sdk'] == 'org.gnome.Sdk', manifest
    assert re.search(rf"executable\('{manifest['command']}'", read('src', 'app', 'meson.build')), manifest['command']
    assert f"Exec={manifest['command']} " in read('data', APP_ID + '.desktop.in.in')


def manifest_builds_this_checkout():
    modules = json.loads(read(MANIFEST))['modules']
    names = [module['name'] for module in modules]
    assert len(set(names)) == len(names), names
    last = modules[-1]
    assert last['name'] == 'tacho' and last['buildsystem'] == 'meson', last
    path = last['sources'][0]['path']
    assert os.path.samefile(os.path.join(ROOT, 'build-aux', path), ROOT), path
    options = re.findall(r"option\('(\w+)'", read('meson_options.txt'))
    for option in last['config-opts']:
        found = re.match(r'-D(\w+)=', option)
        assert found is None or found.group(1) in options, option


def manifest_pins_what_it_downloads():
    for module in json.loads(read(MANIFEST))['modules'][:-1]:
        for source in module['sources']:
            assert source['type'] == 'archive' and source['url'].startswith('https://'), source
            assert re.fullmatch('[0-9a-f]{64}', source['sha256']), source


def every_permission_has_its_reason():
    documented = dict(re.findall(r'^\| `(--[^`]+)` \| (.+) \|$', read('docs', 'packaging.md'), re.M))
    asked = json.loads(read(MANIFEST))['finish-args']
    assert sorted(asked) == sorted(documented), set(asked) ^ set(documented)
    for permission in asked:
        assert 'filesystem' not in permission and permission != '--device=all', permission
    names = [item for item in asked if 'talk-name' in item]
    assert names == ['--talk-name=org.freedesktop.secrets'], names


def every_option_is_documented():
    documented = re.findall(r'^\| `-D(\w+)` \|', read('docs', 'packaging.md'), re.M)
    assert sorted(documented) == sorted(re.findall(r"option\('(\w+)'", read('meson_options.txt'))), documented


def every_dependency_is_documented():
    text = read('docs', 'packaging.md')
    for name in re.findall(r"dependency\('([\w.+-]+)'", read('meson.build')):
        if name not in ('threads', 'gobject-2.0'):  # the C library's, and GLib's own
            assert f'`{name}`' in text, f'{name} is not in docs/packaging.md'


def screenshots_are_those_of_the_tree():
    tree = ElementTree.fromstring(read('data', APP_ID + '.metainfo.xml.in.in'))
    images = tree.findall('screenshots/screenshot/image')
    assert len(images) >= 3, len(images)
    for screenshot in tree.findall('screenshots/screenshot'):
        caption = screenshot.find('caption').text
        assert caption and not caption.endswith('.'), caption
    for image in images:
        base, _, name = image.text.rpartition('/')
        assert base == '@media_url@', image.text
        with open(os.path.join(ROOT, 'docs', 'screenshots', name), 'rb') as stream:
            size = struct.unpack('>II', stream.read(24)[16:])  # of the PNG's IHDR
        assert size == (int(image.get('width')), int(image.get('height'))), (name, size)


def the_release_is_this_version():
    tree = ElementTree.fromstring(read('data', APP_ID + '.metainfo.xml.in.in'))
    release = tree.find('releases/release')
    version = re.search(r"version: '([\d.]+)'", read('meson.build')).group(1)
    assert release.get('version') == version, (release.get('version'), version)
    assert len(release.findall('description//li')) >= 3, 'release notes'
    assert f'## {version}' in read('NEWS.md')


def main():
    checks = [manifest_names_the_program, manifest_builds_this_checkout, manifest_pins_what_it_downloads,
              every_permission_has_its_reason, every_option_is_documented, every_dependency_is_documented,
              screenshots_are_those_of_the_tree, the_release_is_this_version]
    print(f'1..{len(checks)}')
    failed = False
    for number, check in enumerate(checks, 1):
        try:
            check()
            print(f'ok {number} {check.__name__}')
        except (AssertionError, KeyError, OSError, ValueError, AttributeError) as error:
            failed = True
            print(f'not ok {number} {check.__name__}')
            print(f'# {type(error).__name__}: {error}')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
