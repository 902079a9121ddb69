#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A hosted agent that calls three others (workflow.py): --verbose shows who works.
set -eu
PATH=$(dirname "$0")/../build:$PATH

co-connect --verbose "$workflow" "AI market trends"
