#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Agents that build on each other's answers.
set -eu
PATH=$(dirname "$0")/../build:$PATH

research=$(co-connect "$researcher" "Research: AI trends")
draft=$(co-connect "$analyst" "Analyze this data: $research")
co-connect "$writer" "Write an article about: $draft"
