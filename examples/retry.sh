#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# retry.sh [ADDRESS]: an agent that may not be there yet. The exit status tells why it failed.
set -u
PATH=$(dirname "$0")/../build:$PATH

co-connect --retry 5 --timeout 60 "${1-$assistant}" "What is 6 * 7?"
status=$?
case $status in
0) ;;
3) echo "It cannot be reached. The prompt was not sent: try again later." >&2 ;;
5 | 7) echo "It may have got the prompt: look before you try again." >&2 ;;
*) echo "Trying again would not help (status $status)." >&2 ;;
esac
exit $status
