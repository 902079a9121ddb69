#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# agent_user: agents run as another user than the server. They have the project, uploads,
# logs and evals; keys, store and the processes of the server are closed to them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use MIME::Base64 qw(encode_base64);
use PyAgent;
use Test::More;

plan skip_all => 'only root can run agents as another user' if $> != 0;
my $MARK = '86420.97';
my $guest = getpwnam('nobody') // plan skip_all => 'there is no user nobody';
my $server = getpwnam('daemon') // plan skip_all => 'there is no user daemon';

sub marked {
	return grep { read_file($_) =~ /^sleep\x00\Q$MARK\E/ } glob '/proc/[0-9]*/cmdline';
}

my $agent = <<'END';
say() { printf '{"type":"OUTPUT","result":"%s"}\n' "$(printf %s "$1" | tr '\n"' ' _')"; }
try() { "$@" >/dev/null 2>&1 && echo yes || echo no; }
read -r line
cd /
case $line in
*'"prompt":"who"'*) say "$(id -u) $(id -g) $(id -G) $HOME $USER $(grep CapEff /proc/self/status | tr -d '\t')" ;;
*'"prompt":"open '*)
	path=$(echo "$line" | sed 's/.*"prompt":"open \([^"]*\)".*/\1/')
	say "$(try cat "$path")" ;;
*'"prompt":"list '*)
	path=$(echo "$line" | sed 's/.*"prompt":"list \([^"]*\)".*/\1/')
	say "$(try ls "$path")" ;;
*'"prompt":"kill '*)
	pid=$(echo "$line" | sed 's/.*"prompt":"kill \([0-9]*\)".*/\1/')
	say "$(try kill -0 $pid)" ;;
*'"prompt":"file"'*)
	path=$(echo "$line" | sed 's/.*"path": *"\([^"]*\)".*/\1/')
	say "$(cat "$path") $(try rm "$path")" ;;
*'"prompt":"tree"'*) (setsid sleep MARK &); sleep MARK & echo '{"type":"thinking","content":"so"}'; sleep MARK ;;
esac
END
$agent =~ s/MARK/$MARK/g;

sub project {
	my ($owner) = @_;
	my $dir = CoHost::directory();
	chmod 0755, "$dir";
	chown $owner, -1, "$dir", "$dir/.co", "$dir/home";
	write_file("$dir/agent.sh", $agent);
	return $dir;
}

for my $case (['root', 0], ['a user that root became', $server]) {
	my ($name, $uid) = @$case;
	my $dir = project($uid);
	my $co = "$dir/.co";
	write_file("$co/host.yaml", "agent_user: nobody\n");
	chown $uid, -1, "$co/host.yaml"; # what is another's stays as it is
	my @user = $uid ? ('--user', 'daemon') : ();
	my $host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh",
		args => [@user]);
	my $ask = sub { my $r = $host->input(@_); $r->{json}{result} // "$r->{status} $r->{body}" };
	my ($worker) = $host->workers;
	my ($gid, $home) = (getpwnam 'nobody')[3, 7];
	like $ask->('who'), qr/^$guest $gid $gid \Q$home\E nobody CapEff:0+$/,
	    "$name: an agent is the other user, with his home and no capability";
	is +(read_file("/proc/$worker/status") =~ /^Uid:\s+(\d+)/m)[0], $uid,
	    "$name: the server is not";
	for my $closed ('host.yaml', 'keys/agent.key', 'keys/recovery.txt', 'store/facts.mdb') {
		ok -e "$co/$closed", "$name: there is $closed";
		is $ask->("open $co/$closed"), 'no', "$name: an agent cannot open .co/$closed";
	}
	is $ask->("list $co/$_"), 'no', "$name: an agent cannot list .co/$_" for 'keys', 'store', '.';
	is $ask->("open /proc/$worker/environ"), 'no', "$name: nor read the server's environment";
	is $ask->("open /proc/$worker/maps"), 'no', "$name: nor its memory";
	is $ask->("kill $worker"), 'no', "$name: an agent cannot send the server a signal";
	is $ask->('file', files => [{ name => 'a.txt', type => 'text/plain',
		data => 'data:text/plain;base64,' . encode_base64('content', '') }]), 'content no',
	    "$name: an agent reads files that came with a prompt, and cannot take them away";

	my $ws = $host->ws(session => {});
	$ws->send_json({ type => 'INPUT', prompt => 'tree' });
	$ws->next(type => 'thinking');
	ok wait_for(10, sub { marked() == 3 }), "$name: an agent has a tree";
	kill KILL => $worker;
	ok wait_for(10, sub { !marked() }), "$name: which ends with its worker";
	$host->stop;

	# Without the setting nothing is open to him any more.
	write_file("$co/host.yaml", '');
	chown $uid, -1, "$co/host.yaml";
	$host = CoHost->start(dir => $dir, workers => 1, agent => "exec:sh $dir/agent.sh",
		args => [@user]);
	my @open = grep { (stat)[2] & 0077 } $co, glob "$co/*";
	is_deeply \@open, [], "$name: without agent_user all of .co is closed again";
	$host->stop;
}

SKIP: {
	skip 'no Python client', 1 if !PyAgent::python();
	my $python = PyAgent::python();
	my $can = CoHost::run(['env', 'HOME=/nonexistent', 'runuser', '-u', 'nobody', '--', $python, '-c',
		"import connectonion; open('" . PyAgent::file('factory.py') . "')"]);
	skip 'nobody cannot run the Python client', 1 if $can->{status};
	my $dir = project(0);
	my $py = PyAgent->start('factory.py', dir => $dir, workers => 1,
		yaml => "agent_user: nobody\n");
	is $py->input('calculate __import__("os").getuid()')->{json}{result}, $guest,
	    'a python: agent is the other user';
	is $py->input("calculate open('$dir/.co/keys/agent.key')")->{json}{result} =~ /Permission|denied/i
	    ? 'refused' : 'opened', 'refused',
	    'a python: agent of another user cannot open the key';
	ok wait_for(10, sub { glob "$dir/.co/logs/*" }), 'the package keeps its log';
	ok wait_for(10, sub { glob "$dir/.co/evals/*" }), 'the package keeps its evals';
	$py->stop;
}

for my $bad (['no-such-user', qr/agent_user: there is no user no-such-user/]) {
	my $dir = project(0);
	my $host = CoHost->start(dir => $dir, workers => 1, fails => 1,
		agent => "exec:sh $dir/agent.sh", yaml => "agent_user: $bad->[0]\n");
	is $host->wait_exit, 1, 'an agent_user that does not exist stops the start';
	like $host->words, $bad->[1], 'the message names the agent_user that does not exist';
}
{
	my $dir = project(0);
	chmod 0700, "$dir";
	my $host = CoHost->start(dir => $dir, workers => 1, fails => 1,
		agent => "exec:sh $dir/agent.sh", yaml => "agent_user: nobody\n");
	is $host->wait_exit, 1, 'an agent_user who cannot read the project stops the start';
	like $host->words, qr/agent_user: nobody may not read/,
	    'the message names the agent_user who cannot read the project';
}
done_testing;
