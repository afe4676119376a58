#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Puts a real llama.cpp server, from Debian's own package, under FOLDER, with two tiny models for it.
# Debian 12 has no such package; forky has. So: a minimal forky tree, entered with chroot.
#
#   llama-server.sh [FOLDER]             install (some minutes; does nothing where it is there already)
#   llama-server.sh FOLDER ARGS...       run llama-server with ARGS until the standard input ends;
#                                        the models are /models/tiny-a.gguf and /models/tiny-b.gguf
#
# Exit status 77 and a reason on the standard error: this machine cannot.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=${1:-${TACHO_PEERS_DIR:-build/peers/forky}}
shift $(($# > 0))

skip()
{
  echo "$*" >&2
  exit 77
}

if ((EUID != 0)); then
  command -v sudo > /dev/null && sudo -n true 2> /dev/null || skip 'needs root, or sudo without a password'
  exec sudo -n --preserve-env=http_proxy,https_proxy bash "$here/llama-server.sh" "$root" "$@"
fi

if [[ ! -x $root/usr/bin/llama-server ]]; then
  command -v debootstrap > /dev/null || skip 'needs debootstrap'
  part=$root.part
  rm -rf --one-file-system "$part"
  mkdir -p "$part"
  # forky is made as sid is; an older debootstrap does not know its name yet.
  debootstrap --variant=minbase --include=ca-certificates forky "$part" '' /usr/share/debootstrap/scripts/sid >&2 ||
    skip 'Debian forky could not be installed: no network?'
  chroot "$part" apt-get install -y --no-install-recommends llama.cpp llama.cpp-tools >&2 ||
    skip 'llama.cpp could not be installed: no network?'
  mv "$part" "$root"
fi
if [[ ! -e $root/models/tiny-b.gguf ]]; then
  mkdir -p "$root/models"
  python3 "$here/make-tiny-gguf.py" "$root/models/tiny-a.gguf" --seed 1
  python3 "$here/make-tiny-gguf.py" "$root/models/tiny-b.gguf" --seed 2
fi
(($#)) || exit 0

# A process group of its own, so that the router's servers end with it; the end of the standard input
# is the order to stop, which also comes when the caller was killed. The whole path: without /proc the
# router finds its own binary no other way.
setsid chroot "$root" /usr/bin/llama-server "$@" < /dev/null &
server=$!
# By the process and by its group: setsid may not have made the group yet.
trap 'kill -KILL -- "$server" "-$server" 2> /dev/null || true' EXIT
cat <&0 > /dev/null & # without the redirection a background command gets /dev/null
order=$!
wait -n "$server" "$order" || true
kill -TERM -- "$server" "-$server" 2> /dev/null || true
timeout 10 tail --pid="$server" -s 0.1 -f /dev/null || true
kill "$order" 2> /dev/null || true
