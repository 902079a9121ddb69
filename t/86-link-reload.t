#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The link to the relay when the settings are read again, and when the server stops.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for write_file);
use HostRelay;
use Sign qw(:all);
use Test::More;

my ($first, $second) = map { HostRelay->start(workers => $_) } 1, 2;
sub yaml { my ($url) = @_; return "trust: open\nrelay_url: $url\n" }

my $host = CoHost->start(relay => undef, workers => 2, yaml => yaml($first->url));
my $address = host_address($host);
sub reload {
	my ($url) = @_;
	write_file($host->dir . '/.co/host.yaml', yaml($url));
	$host->signal('HUP');
}

# ---- the same relay ----

ok $first->agent($address), 'the relay of host.yaml is used';
my $ws = $first->client($address, session => {});
$ws->send_json({ type => 'INPUT', prompt => 'stream 30 100' });
ok $ws->next(type => 'tool_call'), 'a turn runs';
my ($old) = $host->children_of_kind('link');
reload($first->url . '/');
my ($served, @refused) = (0);
until (@refused || wait_for(0, sub { $host->words =~ /generation 2 serves/ && $served > 3 })) {
	my $visitor = $first->client($address);
	$visitor->send_json({ type => 'CONNECT' });
	my $f = $visitor->next(type => ['CONNECTED', 'ERROR']);
	$f && $f->{type} eq 'CONNECTED' ? $served++ : push @refused, $f;
	$visitor->close;
}
is scalar(@refused), 0, 'no client is refused while a generation replaces another'
    or diag explain \@refused;
my @rest = $ws->all_until('OUTPUT');
is $rest[-1]{result}, 'Streamed 30 steps.', 'a turn of the old generation ends on its connection';
my $new = $first->client($address, session => { session_id => $ws->session_id });
is $new->connected->{session_id}, $ws->session_id,
    'a session of the old generation goes on in the new one';
ok wait_for(40, sub { my @links = $host->children_of_kind('link');
	@links == 1 && $links[0] != $old }), 'the old link leaves';
is $ws->wait_close, 1012, 'clients of the old link are told to come back';

# ---- another relay, and none ----

reload($second->url);
ok $second->agent($address), 'another relay is used after a reload';
is $new->wait_close, 1012, 'clients of the old relay are told to come back';
my $there = $second->client($address, session => { session_id => $new->session_id });
is +($there->turn('echo moved'))[-1]{result}, 'moved', 'a session goes on through another relay';
reload('null');
ok wait_for(40, sub { !$host->children_of_kind('link') }), 'a reload may end the link';
$there->wait_close;
is $host->http(GET => '/health')->{status}, 200, 'the server serves on without a relay';
my $direct = $host->ws(session => { session_id => $new->session_id });
is +($direct->turn('echo home'))[-1]{result}, 'home', 'a session of a relay goes on directly';
$direct->close;

# ---- the server stops ----

reload($first->url);
ok $first->agent($address, 3), 'a relay may be set again';
wait_for(40, sub { $host->words =~ /generation 4 serves/ });
$ws = $first->client($address, session => {});
$ws->send_json({ type => 'INPUT', prompt => 'stream 20 100' });
ok $ws->next(type => 'tool_call'), 'another turn runs';
$host->signal('TERM');
ok wait_for(10, sub { $host->words =~ /draining/ }), 'the server stops';
my $late = wait_for(10, sub {
	my $c = $first->client($address);
	$c->send_json({ type => 'CONNECT' });
	my $f = $c->next(type => ['CONNECTED', 'ERROR']);
	$f && $f->{type} eq 'ERROR' ? $f : undef;
});
like $late->{message}, qr/^server (?:restarts|is restarting; retry)$/,
    'a server that stops refuses clients of the relay';
@rest = $ws->all_until('OUTPUT');
is $rest[-1]{result}, 'Streamed 20 steps.', 'a turn ends while the server stops';
is $ws->wait_close, 1012, 'clients of the relay are told that the server restarts';
$host->stop;
done_testing;
