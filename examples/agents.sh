#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# agents.sh [FOLDER]: the first terminal of the examples. Starts a relay and agents on this
# machine, writes their addresses to FOLDER/agents.env (default: co-examples), and stops them
# at Ctrl-C. Nothing listens on other than 127.0.0.1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PATH=$here/../build:$PATH:/usr/local/sbin:/usr/sbin
folder=${1-co-examples}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
env=$folder/agents.env
pids=
rm -f "$env"
trap 'rm -f "$env"; kill $pids 2>/dev/null; wait; exit' EXIT INT TERM

# start NAME PROGRAM OPTIONS: returns when it serves; $at is where
start() {
	name=$1
	shift
	mkdir -p "$folder/$name"
	rm -f "$folder/$name/ready"
	"$@" -b 127.0.0.1 -p 0 -d "$folder/$name" --ready-fd 3 3>"$folder/$name/ready" \
		>"$folder/$name/out" 2>&1 &
	pids="$pids $!"
	while [ ! -s "$folder/$name/ready" ]; do
		kill -0 $! 2>/dev/null || { cat "$folder/$name/out"; exit 1; }
		sleep 0.1
	done
	at=$(cat "$folder/$name/ready")
}

# agent NAME PROGRAM-OF-AGENT: NAME becomes a variable with its address
agent() {
	start "$1" co-hostd -w 1 -a "$2" -o trust=open -o relay_url="$relay"
	address=$(co-connect info -d "http://$at" | sed -n 's/^address *//p')
	echo "export $1=$address" >>"$env.new"
}

start relay co-relayd
relay=ws://$at
echo "export RELAY_URL=$relay" >"$env.new"
agent assistant demo
for name in researcher analyst writer worker1 worker2 worker3; do
	agent $name "exec:python3 $here/specialist.py $name"
done
. "$env.new"
agent workflow "exec:python3 $here/workflow.py $researcher $analyst $writer"
mv "$env.new" "$env"

cat "$env"
echo "The agents are ready. In another terminal: . $env"
wait
