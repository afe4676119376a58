/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the test of a server and its steps share. */
#pragma once

#include "service/tacho-server-test.h"

G_BEGIN_DECLS

struct _TachoTestStep
{
  GObject parent_instance;

  TachoTestKind kind;
  TachoProtocol protocol;
  TachoTestState state;
  char *words;
};

void tacho_test_step_set (TachoTestStep *step, TachoTestState state, const char *words);

G_END_DECLS
