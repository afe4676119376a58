#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# fuzz-short.sh TARGET SEEDS PREFIX: a few seconds of fuzzing; a finding is kept as PREFIX-crash-….
set -eu
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
"$1" -runs=100000 -max_total_time=3 -timeout=10 -error_exitcode=1 -rss_limit_mb=2048 -verbosity=0 \
  -artifact_prefix="$3" "$corpus" "$2"
