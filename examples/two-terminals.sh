#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The second terminal: an agent that is hosted in the first one, by its address alone.
set -eu
PATH=$(dirname "$0")/../build:$PATH

co-connect "$assistant" "What is 42 * 17?"
co-connect "$assistant" "What's the weather in Seattle?"
