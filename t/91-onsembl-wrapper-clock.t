#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# onsembl-agent: tokens that expire, and a clock that is wrong.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use Backend;
use CoHost qw(read_file wait_for write_file);
use File::Temp;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use Wrapper;

my $n = 0;
my $life_s = 3600;
my $backend = Backend->new(posts => { '/api/auth/cli/refresh' => sub {
	$n++;
	return (200, { access_token => "token-$n", refresh_token => "R$n", token_type => 'Bearer', expires_in => $life_s });
} });

# A wrapper that uses a login, which was made so many seconds ago.
sub start {
	my (%o) = @_;
	my $home = File::Temp->newdir;
	mkdir "$home/.onsembl";
	$n = 0;
	write_file("$home/.onsembl/credentials.json", encode_json({ server => $backend->url, accessToken => 'token-0',
		refreshToken => 'R0', expiresAt => int((time + $life_s - ($o{age} // 0)) * 1000) }));
	my $w = Wrapper->new(server => $backend->url, clock => 1, home => $home,
		args => ['--max-retries', 6],
		env => { HOME => "$home", ONSEMBL_API_KEY => undef });
	$w->set_clock($o{ahead} // 0);
	$w->begin;
	return $w;
}

sub refreshed { return map { $_->[1]{refresh_token} } $backend->posted }
sub bearer { return ($_[0]->head =~ /^Authorization: Bearer (\S+)/mi)[0] }

# ---- a token that expires while the wrapper runs ----

{
	$backend->{token} = 'token-0';
	my $w = start();
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	is bearer($agent), 'token-0', 'the wrapper connects with the token of the login';
	is scalar($backend->posted), 0, 'a token that is valid for long is not renewed';
	$w->set_clock(3165); # seconds; a slow machine may add some
	$w->pass(35); # it looks each 30 s; 60 s would be those of a dead connection
	$agent->run('c1', 'true');
	$agent->next('COMMAND_COMPLETE', 'c1');
	is scalar($backend->posted), 0, 'a token is not renewed more than five minutes before its end';
	$w->set_clock(3280);
	$w->pass(35);
	ok $backend->until(5, sub { $w->log =~ /the token is renewed/ }), 'a token is renewed in its last five minutes';
	is_deeply [refreshed()], ['R0'], 'a token is renewed once';
	is decode_json(read_file("$w->{home}/.onsembl/credentials.json"))->{accessToken}, 'token-1', 'the new token is kept';
	ok $agent->is_open, 'the connection goes on while the token is renewed';
	$backend->{token} = 'token-1';
	$agent->cut;
	$agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	is bearer($agent), 'token-1', 'the next connection has the new token';
	$w->stop;
}

# ---- a clock that is ten minutes wrong ----

for my $ahead (600, -600) {
	my $wrong = $ahead > 0 ? 'a clock ten minutes ahead' : 'a clock ten minutes behind';
	$backend->{token} = 'token-0';
	$backend->{posted} = [];
	my $w = start(ahead => $ahead);
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	ok $agent, "$wrong: the wrapper connects";
	$agent->run('c1', 'echo one; sleep 0.2; echo two >&2', executionConstraints => { timeLimitMs => 60000 });
	my $end = $agent->next('COMMAND_COMPLETE', 'c1');
	is $end->{payload}{status}, 'COMPLETED', "$wrong: a command keeps its time limit";
	cmp_ok $end->{payload}{duration}, '<', 60000, "$wrong: the duration of a command is that of the command";
	is $agent->output('c1'), "one\ntwo\n", "$wrong: output comes in order";
	cmp_ok abs($end->{timestamp} / 1000 - time - $ahead), '<', 300, "$wrong: messages have the time of the agent";
	$agent->send('PING', { timestamp => 12345 });
	is $agent->next('PONG')->{payload}{timestamp}, 12345, "$wrong: a PING is answered with the time of the server";
	$agent->cut;
	ok $agent = $backend->agent, "$wrong: the wrapper connects again";
	$w->set_clock(0);
	$agent->run('c2', 'echo later');
	is $agent->next('COMMAND_COMPLETE', 'c2')->{payload}{status}, 'COMPLETED', "$wrong: commands run when it is put right";
	$w->stop;
}

# A token that has expired, although the clock says that it is valid.
{
	$backend->{token} = 'token-1';
	$backend->{posted} = [];
	my $w = start(age => 3600, ahead => -600);
	my $agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	is bearer($agent), 'token-1', 'a token that is refused is renewed, whatever the clock says';
	is_deeply [refreshed()], ['R0'], 'a refused token is renewed once';
	$agent->send('TOKEN_REFRESH', { accessToken => 'of-the-server', expiresIn => 3600 });
	$backend->until(5, sub { $w->log =~ /has refreshed the token/ });
	$agent->cut;
	$agent = $backend->agent or BAIL_OUT($w->said . $w->log);
	is bearer($agent), 'token-1', 'a token of the server that is refused is given up for that of the login';
	$backend->{token} = 'another';
	$agent->cut;
	$backend->until(10, sub { $w->log =~ /given up/ });
	is $w->wait_exit, 1, 'a wrapper whose tokens are all refused gives up';
	is_deeply [refreshed()], ['R0', 'R1'], 'a login is renewed once for each connection that is lost';
}
done_testing;
