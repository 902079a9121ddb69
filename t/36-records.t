#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Records by the conformance checklist: what is written when, and what is left after kills,
# a full disk and time. The agent has effects, so what was cut is not run again.
use strict;
use utf8;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use JSON::PP qw(decode_json);
use Test::More;

my @KEYS = sort qw(session_id status prompt result session created expires duration_ms);

# It answers "go ID" when the file go-ID is there, and notes what it was started for.
my $work = CoHost::directory();
write_file("$work/agent.sh", <<"END");
read -r line
id=\${line#*'"prompt":"go '}
id=\${id%%[!a-z0-9-]*}
echo "\$id" >>$work/runs
echo '{"type":"thinking","content":"I work."}'
while [ ! -e $work/go-\$id ]; do sleep 0.02; done
echo '{"type":"OUTPUT","result":"went"}'
END
my $agent = "exec:sh $work/agent.sh";

sub let_go { write_file("$work/go-$_", '') for @_ }

sub runs { return split /\n/, read_file("$work/runs") }

# The lines about a session, parsed.
sub lines_of {
	my ($host, $id) = @_;
	my @all = map { eval { decode_json($_) } // () }
	    split /^/, read_file($host->dir . '/.co/session_results.jsonl');
	return grep { $_->{session_id} eq $id } @all;
}

sub last_status {
	my ($host, $id) = @_;
	my @all = lines_of($host, $id);
	return @all ? $all[-1]{status} : '';
}

# Begin turns, each on a socket of its own; all of them run.
sub begin {
	my ($host, @ids) = @_;
	my @ws = map { $host->ws(session => { session_id => $_ }) } @ids;
	$ws[$_]->send_json({ type => 'INPUT', prompt => "go $ids[$_]" }) for 0 .. $#ids;
	$_->next(type => 'thinking') for @ws;
	return @ws;
}

sub record { my ($host, $id) = @_; return $host->http(GET => "/sessions/$id") }

# ---- a turn is two lines ----

my $host = CoHost->start(agent => $agent, clock => 1, args => ['-o', 'result_ttl=500']);
my ($ws) = begin($host, 'two');
ok wait_for(15, sub { last_status($host, 'two') eq 'running' }),
    'a running turn has a line in the results';
$host->pass(100);
let_go('two');
is $ws->next(type => 'OUTPUT')->{result}, 'went', 'the turn of two lines ends';
ok wait_for(15, sub { last_status($host, 'two') eq 'done' }),
    'an ended turn has a second line in the results';
my ($running, $done) = grep { $_->{status} =~ /running|done/ } lines_of($host, 'two');
is_deeply [sort keys %$_], \@KEYS, 'a line of the results has eight members' for $running, $done;
is_deeply [@$running{qw(status prompt result duration_ms)}], ['running', 'go two', undef, undef],
    'the line of a running turn has no result';
is_deeply [@$done{qw(status prompt result)}], ['done', 'go two', 'went'],
    'the line of an ended turn has the result';
cmp_ok $done->{duration_ms}, '>=', 100_000, 'the line of an ended turn has its duration';
is $done->{created}, $running->{created}, 'both lines of a turn have the same time of creation';
is $done->{expires}, $running->{expires}, 'both lines of a turn expire at the same time';
is sprintf('%.3f', $done->{expires} - $done->{created}), '500.000',
    'a line expires result_ttl after its creation';
$host->stop;

# ---- time ----

$host = CoHost->start(clock => 1, args => ['-o', 'result_ttl=1']);
$host->input('echo short', session => { session_id => 'short' });
my $runner = $host->ws(session => { session_id => 'long' });
$runner->send_json({ type => 'INPUT', prompt => 'ask Still there?' });
$runner->next(type => 'ask_user');
$host->pass(1);
is_deeply [map { record($host, 'short')->{status} } 1 .. 8], [(404) x 8],
    'after result_ttl of one second a result is gone, for every worker';
is record($host, 'long')->{json}{status}, 'running',
    'a turn that runs longer than result_ttl keeps its record';
$host->stop('QUIT');

# ---- the whole host is killed ----

my $dir = CoHost::directory();
$host = CoHost->start(agent => $agent, dir => $dir);
begin($host, 'cut-1', 'cut-2');
let_go('kept');
is $host->input('go kept', session => { session_id => 'kept' })->{json}{result}, 'went',
    'a turn ends before all processes are killed';
my %children = $host->children;
kill KILL => $host->pid, keys %children;
$host->wait_exit;
$host = CoHost->start(agent => $agent, dir => $dir);
for my $id ('cut-1', 'cut-2') {
	ok wait_for(20, sub { (record($host, $id)->{json}{status} // '') eq 'interrupted' }),
	    'a turn that ran when all processes were killed is interrupted';
	is record($host, $id)->{status}, 200,
	    'the record of an interrupted turn is answered with 200';
	ok wait_for(20, sub { last_status($host, $id) eq 'interrupted' }),
	    'the line of an interrupted turn is written';
}
is record($host, 'kept')->{json}{result}, 'went', 'a result from before the kill is kept';
is_deeply [sort grep { /^cut/ } runs()], ['cut-1', 'cut-2'],
    'a turn that was cut by the kill does not run twice';

# ---- one worker is killed ----

# Clients come until two workers have some of them.
my (@ids, @ws, %worker_of);
ok wait_for(30, sub {
	push @ids, 'many-' . @ids;
	push @ws, begin($host, $ids[-1]);
	for my $line (split /\n/, $host->words) {
		my ($worker, $id) = $line =~ /pid=(\d+): ✓ INPUT .*prompt=go (many-\d+)\.\.\./;
		$worker_of{$id} = $worker if $id;
	}
	my %busy = map { $_ => 1 } values %worker_of;
	return @ids >= 8 && keys %busy >= 2 && keys %worker_of == @ids;
}), 'the turns run in two workers or more';
my $victim = $worker_of{ $ids[rand @ids] };
my @lost = grep { $worker_of{$_} == $victim } @ids;
my @others = grep { $worker_of{$_} != $victim } @ids;
$host->kill_worker($victim);
for my $id (@lost) {
	ok wait_for(20, sub { (record($host, $id)->{json}{status} // '') eq 'interrupted' }),
	    "the turns of the killed worker were interrupted: $id";
}
is_deeply [map { record($host, $_)->{json}{status} } @others], [('running') x @others],
    'turns of other workers run on when one is killed: ' . @others;
let_go(@ids);
for my $i (grep { $worker_of{ $ids[$_] } != $victim } 0 .. $#ids) {
	is $ws[$i]->next(type => ['OUTPUT', 'ERROR'])->{result}, 'went',
	    'a turn of another worker ends on the socket where it began';
}
is_deeply [sort grep { /^many/ } runs()], [sort @ids],
    'turns ran once each when a worker was killed';
$host->stop;

# ---- a torn line, of another host ----

$dir = CoHost::directory();
my @lines = map { qq({"session_id":"old-$_","status":"done","prompt":"p","result":"r$_",)
    . qq("session":{"session_id":"old-$_"},"created":170000000$_.5,"expires":99999999999.5,)
    . qq("duration_ms":5}\n) } 1 .. 5;
write_file("$dir/.co/session_results.jsonl", join('', @lines)
    . '{"session_id":"old-1","status":"failed","prompt":"p","resu');
$host = CoHost->start(dir => $dir);
ok wait_for(20, sub { record($host, 'old-5')->{status} == 200 }),
    'a torn last line of the results does not stop the start';
is_deeply [map { record($host, "old-$_")->{json}{result} } 1 .. 5], [map { "r$_" } 1 .. 5],
    'a torn last line of the results hides no other record';
$host->input('echo new', session => { session_id => 'new' });
ok wait_for(15, sub { last_status($host, 'new') eq 'done' }),
    'a new result is written after a torn line';
is_deeply [grep { !eval { decode_json($_) } } split /\n/,
	read_file("$dir/.co/session_results.jsonl")], [],
	    'new results are written as whole lines after a torn one';
$host->stop;

# ---- a full disk ----

$host = CoHost->start(agent => $agent, args => ['-o', 'store_size=1', '-o', 'drain_timeout=2']);
my (@refused, @accepted);
for my $n (1 .. 400) {
	my $id = "full-$n";
	let_go($id);
	my $r = $host->input("go $id." . 'x' x 20000, session => { session_id => $id });
	push @{ $r->{status} == 503 ? \@refused : \@accepted }, [$id, $r];
	last if @refused >= 5;
}
cmp_ok scalar(@accepted), '>', 3, 'inputs are taken while the store has room';
is scalar(@refused), 5, 'inputs are refused when the store is full';
is $refused[-1][1]{json}{code}, -32603,
    'a full store is answered with the code of an internal error';
my %ran = map { $_ => 1 } runs();
is_deeply [grep { $ran{$_} } map { $_->[0] } @refused], [],
    'inputs refused by a full store are not run';
is_deeply [grep { !$ran{$_} } map { $_->[0] } @accepted], [],
    'inputs accepted by an almost full store are run';
is_deeply [grep { record($host, $_->[0])->{status} != 404 } @refused], [],
    'inputs refused by a full store leave no record';
$host->stop;
done_testing;
