#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# trust_agent_persistent: one process of the trust agent answers many questions, also at the
# same time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file wait_for write_file);
use JSON::PP ();
use Sign qw(:all);
use Test::More;

# It notes its starts, and each frame that it gets. A question is answered by what the file
# "says" has; "hold" is answered when it is closed or the next question comes.
my $program = <<'END';
use strict;
use warnings;
use JSON::PP;
$| = 1;
sub note { open my $f, '>>', 'notes' or die; syswrite $f, "@_\n" }
note("start $$");
select undef, undef, undef, .01 while -e 'slow';
exit 3 if -e 'broken';
sub answer { print "$_[0] ", encode_json({ type => 'OUTPUT', result => $_[1] }), "\n" }
print qq(0 {"type": "READY"}\n);
my @held;
while (my $frame = <STDIN>) {
	note($frame =~ s/\n//r);
	my ($n, $line) = split / /, $frame, 2;
	my $what = decode_json($line)->{type};
	if ($what eq 'CLOSE') {
		@held = grep { $_ != $n } @held;
		answer($n, '');
	}
	next if $what ne 'INPUT';
	open my $f, '<', 'says' or die;
	my $says = do { local $/; <$f> };
	kill KILL => $$ if $says eq 'crash';
	if ($says eq 'hold') { push @held, $n; next }
	answer($_, $says) for $n, splice @held;
}
END

my $policy = "---\nallow: [admin]\ndefault: ask\n---\nLet in who is kind.\n";
my $n = 0;    # no two signatures are the same
my $host;

sub project {
	my $dir = CoHost::directory(yaml => "trust_agent: exec:exec perl judge.pl\n"
		. "trust_agent_persistent: true\ntrust: policy.md\ninterrupt_grace: 2\n");
	write_file("$dir/policy.md", $policy);
	write_file("$dir/judge.pl", $program);
	write_file("$dir/says", 'ACCEPT');
	return $dir;
}

sub says { write_file($host->dir . '/says', $_[0]) }
sub notes { my ($what) = @_; return grep { /$what/ } split /\n/, read_file($host->dir . '/notes') }

sub body {
	return signed_body(key_new(),
		{ prompt => 'echo in', nonce => $n++, timestamp => now($host) });
}

sub said {
	my ($r) = @_;
	return $r->{status} == 200 ? 'in' : $r->{json}{error};
}

sub post { return said($host->http(POST => '/input', {}, body())) }

my $dir = project();
write_file("$dir/slow", '');
$host = CoHost->start(dir => $dir, clock => 1, workers => 1);
is $host->http(GET => '/readyz?verbose')->{json}{checks}{agent}, 'loading',
    '/readyz says that the trust agent is being loaded';
my $early = $host->client;
$early->send(POST => '/input', {}, body());
unlink "$dir/slow";
is said($early->reply), 'in', 'a question waits for a trust agent that is being loaded';
ok wait_for(10, sub { $host->http(GET => '/readyz')->{status} == 200 }),
    '/readyz says that the trust agent is loaded';

is post(), 'in', 'a persistent trust agent lets a client in' for 1 .. 5;
says('REJECT: too new');
is post(), 'forbidden: too new', 'a persistent trust agent refuses a client in its own words';
my $ws = $host->ws;
$ws->send_json(connect_frame(key_new(), $host));
is $ws->next(type => ['CONNECTED', 'ERROR'])->{message}, 'forbidden: too new',
    'CONNECT is refused in the words of a persistent trust agent';
says('maybe');
is post(), 'forbidden: trust evaluation unavailable',
    'an answer of a persistent trust agent that is none refuses a client';
is scalar(notes('start')), 1, 'one process of a persistent trust agent answers all of them';

says('hold');
my @held = map { $host->client } 1 .. 8;
$_->send(POST => '/input', {}, body()) for @held;
ok wait_for(10, sub { notes('INPUT') == 9 + @held }),
    'many questions to a persistent trust agent run at the same time';
says('ACCEPT');
is post(), 'in', 'a question is answered while others wait';
is_deeply [map { said($_->reply) } @held], [('in') x @held],
    'questions that were held are answered in the end';

says('hold');
my $late = $host->client;
$late->send(POST => '/input', {}, body());
ok wait_for(10, sub { notes('INPUT') == 11 + @held }), 'a question is asked and not answered';
$host->pass(11);
is said($late->reply), 'forbidden: trust evaluation unavailable',
    'a persistent trust agent that is silent for ten seconds refuses a client';
ok wait_for(10, sub { notes('CLOSE') == 1 }),
    'a persistent trust agent is told to drop the question';
$host->pass(3);
says('ACCEPT');
is post(), 'in', 'a persistent trust agent answers after a question that was dropped';
is scalar(notes('start')), 1, 'a question that was dropped does not cost the process';

says('crash');
is post(), 'forbidden: trust evaluation unavailable',
    'a question that ends the process of a persistent trust agent refuses the client';
says('ACCEPT');
is post(), 'in', 'a persistent trust agent that was ended is replaced';
is scalar(notes('start')), 2, 'a persistent trust agent is replaced by one process';
like $host->words, qr/ trust agent process 1: gone: .*Killed/,
    'the log names the process of the trust agent';

my ($pid) = (notes('start'))[-1] =~ /(\d+)/;
write_file("$dir/broken", '');
$host->signal('HUP');
ok wait_for(20, sub { $host->words =~ /reload: the agent cannot be loaded; still serving/ }),
    'a reload with a trust agent that cannot be loaded changes nothing';
is post(), 'in', 'the trust agent before such a reload answers on';
$host->stop;
ok wait_for(10, sub { !kill 0, $pid }), 'no process of the trust agent is left after a stop';
done_testing;
