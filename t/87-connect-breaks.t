#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# libcoconnect when something goes wrong: workers and servers that die, hosts that are not
# who they should be, time that is up.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(source wait_for write_file);
use IO::Select;
use IO::Socket::IP;
use POSIX ();
use Sign qw(key_of key_new);
use Talker;
use Test::More;

# ---- a worker is killed while a turn runs ----

for my $workers (1, 4) {
	my $host = CoHost->start(workers => $workers, args => ['-o', 'trust=open']);
	my $address = key_of($host)->{address};
	for my $how ($workers == 1 ? { loop => 1 } : { keyless => 1 }) {
		my $name = "-w $workers " . join ' ', %$how;
		my $c = Talker->start($address, direct => $host->url, %$how);
		$c->result('input echo first');
		$c->so_far;
		$c->say('input stream 60 20');
		$c->next(type => 'tool_call');
		$host->kill_worker($_) for $host->workers;
		my $r = $c->next(what => 'result');
		is $r->{text}, 'Streamed 60 steps.', "$name: a turn outlives its workers"
		    or diag explain $r;
		my @all = $c->so_far;
		my %seen;
		$seen{ $_->{id} }++ for grep { $_->{what} eq 'event' && $_->{type} eq 'tool_call' } @all;
		is scalar(keys %seen), 60, "$name: no step of it is missing";
		is_deeply [grep { $seen{$_} > 1 } keys %seen], [], "$name: none comes twice";
		ok scalar(grep { ($_->{way} // '') eq 'retry' } @all), "$name: the break is told";
		is scalar(grep { ($_->{type} // '') eq 'user_input' } @all), 1,
		    "$name: the prompt is said once";

		$c->say('input ask Ready?|yes');
		$c->next(what => 'result');
		$host->kill_worker($_) for $host->workers;
		is $c->code('answer yes'), 'ok', "$name: an answer may meet a broken connection";
		is $c->result('wait')->{text}, 'You answered: yes',
		    "$name: the answer arrives once it is back";
		$c->end;
	}
	$host->stop;
}

# ---- the end of a turn is lost ----

# Pass a connection on. If it is the first with an INPUT, nothing comes down after that, and
# it is closed after the OUTPUT.
sub pass_on {
	my ($client, $host, $flag) = @_;
	my $select = IO::Select->new($client, $host);
	my ($down, $is_deaf) = ('', 0);
	while (my @ready = $select->can_read) {
		for my $fh (@ready) {
			sysread $fh, my $bytes, 65536 or return;
			$down .= $bytes if $fh == $host;
			$is_deaf ||= mkdir $flag if $fh == $client && $down =~ /"CONNECTED"/;
			return if $is_deaf && $down =~ /"OUTPUT"/;
			syswrite $fh == $host ? $client : $host, $bytes if $fh == $client || !$is_deaf;
		}
	}
	return;
}

# Returns the port of a front for a server, and its pid.
sub deaf_front {
	my ($to, $flag) = @_;
	my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 16) or die "$@\n";
	my $pid = fork // die "fork: $!";
	return ($listener->sockport, $pid) if $pid;
	local $SIG{CHLD} = 'IGNORE';
	while (my $client = $listener->accept) {
		next if fork;
		pass_on($client, IO::Socket::IP->new($to), $flag);
		POSIX::_exit(0);
	}
	POSIX::_exit(0);
}

{
	my $host = CoHost->start(args => ['-o', 'trust=open']);
	my ($port, $front) = deaf_front($host->address, $host->dir . "/deaf");
	my $c = Talker->start(key_of($host)->{address}, direct => "http://127.0.0.1:$port", keyless => 1);
	my $r = $c->result('input echo unheard');
	is $r->{text}, 'unheard', 'a turn whose end was lost is found in the conversation';
	is_deeply [@{ $r->{json} }{qw(type result session_id)}], ['OUTPUT', 'unheard', $r->{session_id}],
	    'a turn whose end was lost has an OUTPUT as any other' or diag explain $r;
	is $c->result('input echo next')->{text}, 'next', 'the conversation goes on after an end that was lost';
	$c->end;
	kill KILL => $front;
	waitpid $front, 0;
}

{
	my $host = CoHost->start(agent => 'exec:perl ' . source('t/agents/puppet.pl'),
		args => ['-o', 'trust=open']);
	my $c = Talker->start(key_of($host)->{address}, direct => $host->url);
	$c->say('input ["listen"]');
	$c->next(what => 'event', type => 'user_input');
	$host->kill_worker($_) for $host->workers;
	my $r = $c->next(what => 'result');
	is "$r->{code} $r->{json}{reason}", 'agent interrupted',
	    'the end of a turn that died with its worker is told to who had seen all but that'
	    or diag explain $r;
	$c->end;
}

# ---- another process continues ----

my $host = CoHost->start(workers => 2, yaml => <<'END', args => ['-o', 'trust=open']);
permissions:
  calculate: {allowed: true}
END
my $address = key_of($host)->{address};
my $key = key_new();
my @mine = (direct => $host->url, key => $key->{seed});
my $c = Talker->start($address, @mine);
is $c->{client}{address}, $key->{address}, 'the key of the caller is used';
$c->result('input echo one');
$c->say('input stream 100 20');
$c->next(type => 'tool_call') for 1 .. 3;
my ($id, $event) = ($c->{all}[-1]{event}{session_id}, $c->{all}[-1]{id});
kill KILL => $c->{pid};

$c = Talker->start($address, @mine, session_id => $id, last_event_id => $event);
my $r = $c->result('resume');
is $r->{text}, 'Streamed 100 steps.', 'a turn is found again by its session and last event';
my @ids = map { $_->{id} } $c->so_far(what => 'event', type => 'tool_call');
is scalar(@ids), 97, 'the events after the last one are sent' or diag "@ids";
is $c->result('resume')->{code}, 'state', 'a turn that was seen to its end is not found again';
$c->say('save');
my $saved = $c->next(what => 'saved')->{saved};
$c->end;
is $saved->{session_id}, $id, 'a conversation is saved';
$c = Talker->start($address, @mine, session => JSON::PP->new->utf8->encode($saved));
is $c->result('input echo two')->{session_id}, $id, 'a saved conversation is continued';
like JSON::PP::encode_json($c->{all}[-1]{json}{session}{messages}), qr/"one".*"two"/s,
    'a continued conversation has all that was said before';
is $c->result('resume')->{code}, 'state', 'no turn runs between inputs';
$c->end;
$c = Talker->start($address, direct => $host->url, session => '[1]');
is $c->{client}{code}, 'argument', 'a conversation that is none is refused';

# ---- time ----

$c = Talker->start($address, @mine, timeout => 300);
$r = $c->result('input sleep 1500');
is $r->{code}, 'timeout', 'the time of an operation is limited';
$c->say('timeout 20000');
like $c->result('input echo after')->{text}, qr/You also said: echo after/,
    'what is said while an earlier turn goes on joins it'
    or diag explain $c->{all}[-1];
$c->end;
$c = Talker->start($address, @mine);
$c->say('on cancel user_input', 'input sleep 1000');
$r = $c->next(what => 'result');
is $r->{code}, 'cancelled', 'an operation is cancelled';
$c->end;

# ---- open questions ----

# Saves the conversation, and continues it by another client.
sub another {
	my ($client) = @_;
	$client->say('save');
	my $text = JSON::PP->new->utf8->encode($client->next(what => 'saved')->{saved});
	$client->end;
	return Talker->start($address, @mine, session => $text);
}

$c = Talker->start($address, @mine, timeout => 20000);
$c->result('input echo before');
for my $how ('ask Which?|red|blue', 'approve rm') {
	is $c->result("input $how")->{code}, 'question', "$how: a turn asks";
	$c = another($c);
	is $c->result('resume')->{code}, 'question', "$how: a client that continues is asked again";
	$c->say('timeout 200');
	is $c->result('wait')->{code}, 'timeout', "$how: the question is left open";
	$c->say('timeout 20000');
	is $c->result('resume')->{code}, 'question', "$how: the same client is asked again after a timeout";
	$c = another($c);
	is $c->result('resume')->{code}, 'question', "$how: a third client is asked again";
	$c->code($how =~ /ask/ ? 'answer blue' : 'approve once');
	like $c->result('wait')->{text}, qr/You answered: blue|rm was approved/, "$how: the answer arrives";
}
is $c->result('resume')->{code}, 'state', 'a question that was answered is not asked again';
for my $who ('the same client', 'another client') {
	$c->result('input ask Which?|red|blue');
	$c->say('timeout 200');
	is $c->result('wait')->{code}, 'timeout', "$who: the question is left open";
	$c = another($c) if $who =~ /another/;
	$c->say('timeout 20000');
	is $c->result('input blue')->{text}, 'You answered: blue', "$who: an input answers an open question";
}
$c->end;

# ---- other operations ----

write_file($host->dir . '/.co/contacts.txt', "$key->{address}\n");
$c = Talker->start($address, @mine);
$r = $c->result('open');
is $r->{code}, 'ok', 'a connection is opened';
$r = wait_for(10, sub {
	my $called = $c->result('call calculate {"expression":"6*7"}');
	return $called->{code} eq 'ok' ? $called : undef });
is $r->{text}, '42', 'a tool is called without the model';
is $c->result('call nonsense {}')->{code}, 'agent', 'a tool that is not there is an error';
is $c->result('call calculate 7')->{code}, 'argument',
    'arguments that are no object are refused at once';
$r = $c->result('mode auto');
is_deeply [@$r{qw(code text)}], ['ok', 'auto'], 'the mode is set';
is $c->result('mode nonsense')->{code}, 'agent', 'a mode that is not known is an error';
$r = $c->result('info');
is_deeply [$r->{json}{address}, $r->{json}{info}{address}, $r->{json}{record}],
    [$address, $address, undef], 'the agent is asked about itself';
is $c->result('find something')->{code}, 'unreachable', 'a directory is not asked at a relay that is away';
is $c->result('wait')->{code}, 'state', 'there is nothing to wait for';
$c->end;

# ---- who answers ----

my $other = key_new()->{address};
for my $how ({}, { keyless => 1 }) {
	$c = Talker->start($other, direct => $host->url, %$how);
	$r = $c->result('input echo secret');
	is $r->{code}, 'identity', join ' ', %$how, 'a host with another address is refused';
	like $r->{text}, qr/it is the agent \Q$address\E/, join ' ', %$how, 'its address is told';
	$c->end;
}
$c = Talker->start('somebody', direct => $host->url);
is $c->result('input echo hi')->{agent}, $address, 'by a URL, any name will do';
$c->end;
$c = Talker->start('somebody');
is $c->{client}{code}, 'argument', 'a name alone is not an address';
$c = Talker->start($address, direct => 'ftp://127.0.0.1/');
is $c->{client}{code}, 'argument', 'a URL of another kind is refused';
$c = Talker->start($address, direct => $host->url, co_dir => '/nonexistent');
is $c->{client}{code}, 'key', 'a folder without a key is refused';
$c = Talker->start($address, direct => $host->url, co_dir => $host->dir . '/.co');
is $c->{client}{address}, $address, 'the key of a folder is used';
$c->end;
$c = Talker->start($address, direct => 'http://127.0.0.1:1', retries => 2);
$r = $c->result('input echo hi');
is $r->{code}, 'unreachable', 'an endpoint where nobody listens is unreachable';
my @pauses = map { $_->{delay_ms} } grep { ($_->{way} // '') eq 'retry' } @{ $c->{all} };
ok $pauses[0] >= 375 && $pauses[0] <= 625 && $pauses[1] >= 750 && $pauses[1] <= 1250,
    'the pauses between attempts are 0.5 and 1 s, a quarter more or less' or diag "@pauses";
is $c->ways, 'lookup rejected retry lookup rejected retry lookup rejected',
    'a connection is tried as often as it was said';
$c->end;
$c = Talker->start($address, relay => '');
$r = $c->result('input echo hi');
is $r->{code}, 'unreachable', 'an agent without URL and relay is unreachable';
$c->end;
$c = Talker->start($address, direct => $host->url, max_bytes => 100);
is $c->result('input echo hi')->{code}, 'too_large', 'a message over the limit is refused';
$c->end;
$host->stop;

# ---- a host that cannot seal ----

$host = CoHost->start(workers => 1, args => ['-o', 'trust=open']);
$address = key_of($host)->{address};
unlink $host->dir . '/.co/keys/agent.key' or die $!;
my $victim = $host->kill_worker;
wait_for(10, sub { my @w = $host->workers; @w == 1 && $w[0] != $victim });
$c = Talker->start($address, direct => $host->url, retries => 2);
$r = $c->result('input echo secret');
is $r->{code}, 'seal', 'a connection that cannot be sealed is an error';
like $r->{text}, qr/this host cannot seal/, 'the error of the seal says why';
$c->end;
unlike $host->words, qr/secret/, 'an input is not said on a connection that is not sealed';
$c = Talker->start($address, direct => $host->url, seal => 'possible', retries => 2);
is $c->result('input echo clear')->{text}, 'clear', 'a caller may allow clear text';
$c->end;
$host->stop;

# ---- admission ----

$host = CoHost->start(workers => 2, args => ['-o', 'trust=strict']);
$c = Talker->start(key_of($host)->{address}, direct => $host->url);
$r = $c->result('input echo hi');
is $r->{code}, 'refused', 'a stranger is refused by a strict host' or diag explain $r;
$c->end;
$host->stop;
$host = CoHost->start(workers => 2, yaml => "trust: careful\n",
	env => { CO_INVITE_CODE => 'OPEN' });
$c = Talker->start(key_of($host)->{address}, direct => $host->url);
is $c->result('input echo hi')->{code}, 'onboard', 'an agent asks for an invite code';
$c->end;
$c = Talker->start(key_of($host)->{address}, direct => $host->url, invite_code => 'OPEN');
is $c->result('input echo hi')->{text}, 'hi', 'a stranger with the invite code comes in';
$c->end;
$host->stop;
done_testing;
