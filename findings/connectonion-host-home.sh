#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# connectonion 1.9.2 (PyPI): host() writes to files of other programs in the home directory, and
# with the newest typer that it allows (0.29.2) it does not start if these programs are used.
#
# Each start of host() looks for ~/.claude and ~/.codex. If there is one, it appends some 5 KB of
# instructions about its own command line to ~/.claude/CLAUDE.md or ~/.codex/AGENTS.md, which
# these programs obey in every project. Nothing asks, and host() has no argument against it.
# The text comes from typer's list of the package's commands. One of them passes type= to
# TyperOption, which typer 0.29 does not take: so host() raises TypeError before it listens,
# on machines with such a folder, and nowhere else. The requirement is typer>=0.20.0.
#
# Expected: serving an agent changes nothing outside of its project, and does not depend on
# what else is in the home directory.
# Seen: HOME without such a folder: it serves. With an empty ~/.claude: typer 0.26.0: it serves, and
# CLAUDE.md has 5191 bytes; typer 0.29.2: "TypeError: TyperOption.__init__() got an unexpected
# keyword argument 'type'".
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
pip() {
	venv/bin/pip install -q --disable-pip-version-check --no-input "$@" || exit 2
}
pip -c "$here/../t/clients/requirements.txt" connectonion==1.9.2

mkdir project
cat >project/agent.py <<'END'
import sys
from connectonion import Agent, host

agent = Agent("quiet", model="gpt-4o", api_key="none")
host(agent, port=int(sys.argv[1]), trust="open", relay_url=None)
END

# Prints what host() comes to with this home directory: serves, or its last error.
try() {
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	(cd project && HOME="$dir/$1" exec ../venv/bin/python agent.py "$port") >log 2>&1 &
	host=$!
	python3 - "$port" "$host" <<-'END'
		import os, sys, time, urllib.request
		for _ in range(600):
		    try:
		        urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/health").read()
		        print("serves")
		        break
		    except OSError:
		        time.sleep(0.2)
		    with open("log") as f:
		        errors = [line for line in f if line.startswith("TypeError")]
		    if errors:
		        print(errors[-1].strip())
		        break
	END
	kill "$host" 2>/dev/null || true
	wait "$host" 2>/dev/null || true
}

mkdir empty used
mkdir used/.claude
say() { echo "$1: $2"; }
echo connectonion "$(venv/bin/python -c 'import importlib.metadata as m; print(m.version("connectonion"))')"
new_empty=$(try empty); say 'typer 0.29.2, no ~/.claude' "$new_empty"
new_used=$(try used); say 'typer 0.29.2, ~/.claude is there' "$new_used"
pip typer==0.26.0
old_used=$(try used); say 'typer 0.26.0, ~/.claude is there' "$old_used"
size=$(wc -c <used/.claude/CLAUDE.md || echo 0); say '~/.claude/CLAUDE.md, in bytes' "$size"
head -n 2 used/.claude/CLAUDE.md | cut -c 1-60
[ "$new_empty" = serves ] && [ "$old_used" = serves ] && [ "$size" -gt 0 ] &&
	[ "${new_used#TypeError}" != "$new_used" ]
