/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exit statuses of tacho-cli: a contract with scripts (tacho-cli(1)). */
#pragma once

enum
{
  CLI_EXIT_OK = 0,
  CLI_EXIT_FAILED = 1,
  CLI_EXIT_USAGE = 2,
  CLI_EXIT_UNREACHABLE = 3,
  CLI_EXIT_ASSERTION = 4,
  CLI_EXIT_INTERRUPTED = 130,
};
