#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Three agents that can do the same share the work: each line is a task for the next one.
set -eu
PATH=$(dirname "$0")/../build:$PATH

co-connect --pool "$worker1,$worker2,$worker3" --lines <<END
Task 1
Task 2
Task 3
Task 4
END
