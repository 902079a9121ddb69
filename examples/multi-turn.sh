#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A conversation in several runs: the file remembers it, and with it the agent.
set -eu
PATH=$(dirname "$0")/../build:$PATH
talk=$(mktemp)
trap 'rm -f "$talk"' EXIT

co-connect --session "$talk" "$assistant" "Calculate 100 + 50"
co-connect --session "$talk" "$assistant" "Multiply that by 2"
