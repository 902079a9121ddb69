#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An agent for co-hostd in plain shell, without jq.
#
#	co-hostd -a "exec:sh examples/echo.sh"
#
# Each turn is one process; see co-agent(7). "ask ..." asks back, "fail ..." fails, and
# anything else is echoed.

# member NAME: the string of this name in the JSON line on standard input, still
# escaped as JSON, so that it may be put into another line as it is.
member() {
	sed -n 's/.*"'"$1"'": *"\(\([^"\\]\|\\.\)*\)".*/\1/p'
}

IFS= read -r line || exit 0	# a warm process that was not needed
# The prompt is taken from before "images", since the rest may hold anything.
prompt=$(printf '%s\n' "${line%%,\"images\":*}" | member prompt)

printf '{"type":"thinking","content":"The shell is thinking."}\n'
echo "prompt has ${#prompt} characters" >&2	# goes to the agent log

case $prompt in
'ask '*)
	question=${prompt#ask }
	printf '{"type":"ask_user","question":"%s","options":[]}\n' "$question"
	while IFS= read -r line; do
		case $line in
		*'"ASK_USER_RESPONSE"'*)
			answer=$(printf '%s\n' "$line" | member answer)
			printf '{"type":"OUTPUT","result":"You answered: %s"}\n' \
				"$answer"
			exit 0
			;;
		*'"INTERRUPT"'*)
			exit 0
			;;
		esac
	done
	;;
'fail '*)
	printf '{"type":"ERROR","message":"%s"}\n' "${prompt#fail }"
	;;
*)
	printf '{"type":"OUTPUT","result":"You said: %s"}\n' "$prompt"
	;;
esac
