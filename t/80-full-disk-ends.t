#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The disk is full: what is told 503 is not there, an input that is there is not told to
# be tried again, turns end, and so does the server. With room again nothing is left
# running, whether somebody looks or not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use Fault;
use POSIX qw(ENOSPC);
use Test::More;

my $dir = CoHost::directory();
my $disk = Fault->new($dir);
my @args = (dir => $dir, workers => 2, env => { $disk->env },
	args => ['-o', 'drain_timeout=3']);
my $host = CoHost->start(@args);
is $host->input('echo before', session => { session_id => 'old' })->{json}{result}, 'before',
    'there is room at first';

sub post {
	my ($k) = @_;
	return $host->http(POST => '/input', {}, { prompt => "echo $k", input_id => $k,
		session => { session_id => $k } });
}
# The reserve, which an end has taken, is there again.
sub ready { return wait_for(20, sub { $host->http(GET => '/readyz')->{status} == 200 }) }
sub status { return $host->http(GET => "/sessions/$_[0]")->{json}{status} // 'none' }

# Facts find no room: nothing is taken.
$disk->fail('facts.mdb', data => ENOSPC);
my $r = post('facts');
is $r->{status}, 503, 'an input without room for facts is refused';
is $r->{json}{data}{retryable}, JSON::PP::true, 'the refusal without room for facts is retryable';
is status('facts'), 'none', 'an input refused without room for facts leaves no record';
$disk->heal;
is post('facts')->{json}{result}, 'facts', 'the refused input runs once there is room for facts';

# Events find no room: the input is there already.
$disk->fail('journal.mdb', data => ENOSPC);
$r = post('events');
is $r->{status}, 500, 'an input without room for events fails';
ok !$r->{json}{data}{retryable}, 'the failure without room for events is not retryable';
$disk->heal;
ok wait_for(20, sub { status('events') =~ /^(?:failed|done)$/ }),
    'an input without room for events has an end';
ok wait_for(20, sub { $host->metric('cohostd_runs') == 0 }),
    'an input without room for events is not left running';
isnt post('events')->{status}, 503, 'a repeated input gets the end that was kept for it';

# A turn that ends while its facts find no room.
ready();
my $ws = $host->ws(session => { session_id => 'ending' });
$ws->send_json({ type => 'INPUT', prompt => 'stream 3 200' });
$ws->next(type => 'tool_call');
$disk->fail('facts.mdb', data => ENOSPC);
is $ws->next(type => ['OUTPUT', 'ERROR'], timeout => 20)->{result}, 'Streamed 3 steps.',
    'a turn ends for its client without room for facts';
$disk->heal;
ok wait_for(20, sub { status('ending') eq 'done' }),
    'a result without room for facts is stored once there is room';
is $host->http(GET => '/sessions/ending')->{json}{result}, 'Streamed 3 steps.',
    'the stored result is the one that was told';

# A turn that ends while its events find no room.
ready();
$ws = $host->ws(session => { session_id => 'events-end' });
$ws->send_json({ type => 'INPUT', prompt => 'stream 3 200' });
$ws->next(type => 'tool_call');
$disk->fail('journal.mdb', data => ENOSPC);
ok wait_for(20, sub { status('events-end') ne 'running' }), 'a turn whose events find no room ends';
$disk->heal;
ok $ws->next(type => ['OUTPUT', 'ERROR'], timeout => 20),
    'a client is told the end of a turn once there is room for events';
ok wait_for(20, sub { $host->metric('cohostd_runs') == 0 }), 'no turn is left running';
ready();
is +($host->ws(session => { session_id => 'events-end' })->turn('echo on'))[-1]{result}, 'on',
    'a session takes inputs after its events found no room';

# The server leaves while nothing finds room.
ready();
$ws = $host->ws(session => { session_id => 'leaving' });
$ws->send_json({ type => 'INPUT', prompt => 'stream 80 50' });
$ws->next(type => 'tool_call');
$disk->fail('.mdb', data => ENOSPC);
select undef, undef, undef, 0.3;
$host->signal('TERM');
is $host->wait_exit, 0, 'TERM ends the server on a full disk';
$disk->heal;
my $first = $host;
$host = CoHost->start(@args);
ok wait_for(20, sub { status('leaving') ne 'running' }),
    'a turn cut by the full disk is ended at the next start';
is status('old'), 'done', 'a result stored before the full disk is kept';
$host->stop;
done_testing;
