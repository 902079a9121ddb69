#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An llm agent with MCP servers that are made with the official packages: for Python and
# TypeScript, of both generations, as programs and by HTTP (t/clients/mcp). "make test-clients"
# runs this.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin";

use Clients;
use CoHost qw(lacks source wait_for);
use JSON::PP ();
use ScriptedModel;
use Test::More;

my $new = Clients::interpreter('mcp') or lacks 'no Python package mcp: t/clients/install BUILD more';
my $old = Clients::interpreter('mcp-older') or lacks 'no older Python package mcp: t/clients/install BUILD more';
my $node = Clients::installed('mcp-node', 'mcp/package-lock.json')
    or lacks 'no TypeScript SDK of MCP: t/clients/install BUILD more';

my ($python, $script) = (source('t/clients/mcp/servers.py'), source('t/clients/mcp/servers.mjs'));
my %command = (
	pynew => [ $new, $python ], pyold => [ $old, $python ],
	tsnew => [ 'node', $script, 'new' ], tsold => [ 'node', $script, 'old' ],
);
my %protocol = (pynew => '2026-07-28', tsnew => '2026-07-28', pyold => '2025-11-25', tsold => '2025-11-25');
$ENV{NODE_PLACE} = $node;

# The same servers as programs and as places.
my (%yaml, @places);
for my $kind (sort keys %command) {
	my ($program, @args) = @{ $command{$kind} };
	$yaml{$kind} = "command: $program, args: [" . join(', ', map { "'$_'" } @args, 'stdio') . "], env: {NODE_PLACE: '$node'}";
	my $pid = open my $out, '-|', $program, @args, 'http' or die "$program: $!\n";
	chomp(my $url = <$out> // die "$kind does not start\n");
	push @places, [ $pid, $out ];
	$yaml{"${kind}web"} = "url: '$url'";
}

sub call { return { calls => [ { name => $_[0], args => $_[1] // {} } ] } }
my %more = (cut => [ 'pyoldweb', 'tsoldweb' ], slow => [ grep { /^py/ } keys %yaml ], shout => ['tsoldweb']);
my @calls = map { my $n = $_; map { "${n}_$_" } qw(add fail picture paint), grep { grep { $_ eq $n } @{ $more{$_} } } keys %more }
    sort keys %yaml;
my %args = (add => { a => 20, b => 22 }, slow => { seconds => 0.2 });
my $model = ScriptedModel->start({
	map { my $tool = $_; (my $name = $tool) =~ tr/_/-/;
		($name => [ call($tool, $args{ $tool =~ s/.*_//r }), { text => 'Done.' } ]) } @calls });
my $host = $model->host(workers => 1, yaml => "permissions:\n" . join('', map { "  $_: {allowed: true}\n" } @calls)
	    . "mcp_servers:\n" . join('', map { "  $_: {$yaml{$_}}\n" } sort keys %yaml));

ok wait_for(60, sub { my @loaded = $host->words =~ /protocol=\S+ tools=/g; @loaded == keys %yaml }),
    'all servers tell their tools';

# The result of a tool, from the side of a user; answers are for its questions.
my $ws = $host->ws(session => {});
sub result {
	my ($tool, @answers) = @_;
	$ws->send_json({ type => 'INPUT', prompt => 'do @' . ($tool =~ tr/_/-/r) });
	for (@answers) {
		my $ask = $ws->next(type => 'ask_user', timeout => 60);
		like $ask->{question} // '', qr/Which colour\?/, "$tool: the user is asked";
		$ws->send_json({ type => 'ASK_USER_RESPONSE', answer => $_ });
	}
	my $result = $ws->next(type => 'tool_result', timeout => 60);
	$ws->next(type => 'OUTPUT', timeout => 60);
	return "$result->{status} $result->{result}";
}

for my $n (sort keys %yaml) {
	is result("${n}_add"), 'success 42', "$n: a tool is called";
	like result("${n}_fail"), qr/^error /, "$n: an error of a tool is one";
	is result("${n}_picture"), 'success [image (image/png) of 5 bytes, not shown]', "$n: a picture is noted";
	like result("${n}_paint", 'red'), qr/^success .*red/, "$n: the user's answer comes to the tool";
	like result("${n}_paint", 'Decline'), qr/declin/, "$n: a user who declines is told to the tool";
	my $protocol = $protocol{ $n =~ s/web$//r };
	like $host->words, qr/mcp server=$n: protocol=$protocol /, "$n: the protocol is $protocol";
}
is result("${_}_slow"), 'success slept', "$_: a slow tool with progress is waited for" for sort @{ $more{slow} };
is result("${_}_cut"), 'success resumed', "$_: a stream that the server cuts is read on" for @{ $more{cut} };
cmp_ok $host->metric('cohostd_mcp_resumed_total'), '>=', 2, 'streams that were read on are counted';
like result('tsoldweb_shout', 'green'), qr/green/, 'a question on the stream that we listen to is asked';

$host->stop;
for (@places) {
	kill KILL => $_->[0];
	close $_->[1];
}
done_testing;
