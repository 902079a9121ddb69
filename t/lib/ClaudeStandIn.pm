# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package ClaudeStandIn;

# A program that speaks the stream-json of Claude Code, for tests of onsembl-agent without a
# model. The first word of a prompt says what it does: say, long (so many bytes), env, run (asks for approval), work
# (thinks, uses a tool, and tells its tokens), choose (asks a question), wait, deaf, die, daemon.
use strict;
use warnings;

use CoHost qw(write_file);

my $program_text = <<'END';
#!/usr/bin/perl
use strict;
use warnings;
use JSON::PP;
$| = 1;
my $json = JSON::PP->new->canonical;
sub say_ { print $json->encode($_[0]), "\n" }
sub text { say_({ type => 'assistant', message => { content => [{ type => 'text', text => $_[0] }] } }) }
sub result { say_({ type => 'result', is_error => JSON::PP::false, result => $_[0] }) }
sub next_line { my $line = <STDIN> // exit 0; return $json->decode($line) }
print "a line that is no JSON\n";
print STDERR "a warning\n";
while (1) {
	my $m = next_line;
	if ($m->{type} eq 'control_request') {
		say_({ type => 'result', is_error => JSON::PP::true, subtype => 'error_during_execution' });
		next;
	}
	next unless $m->{type} eq 'user';
	my ($what, $rest) = split / /, $m->{message}{content}, 2;
	if ($what eq 'say') {
		text($rest);
		result($rest);
	} elsif ($what eq 'long') {
		say_({ type => 'assistant', message => { content => [
			{ type => 'tool_use', id => 't4', name => 'Write', input => { text => 'y' x $rest } }] } });
		text('x' x $rest);
		result('x' x $rest);
	} elsif ($what eq 'env') {
		result(join ' ', @ARGV, map { "$_=$ENV{$_}" } sort keys %ENV);
	} elsif ($what eq 'run') {
		my $input = { command => $rest };
		say_({ type => 'assistant', message => { content => [
			{ type => 'tool_use', id => 't1', name => 'Bash', input => $input }] } });
		say_({ type => 'control_request', request_id => 'r1', request => {
			subtype => 'can_use_tool', tool_name => 'Bash', tool_use_id => 't1', input => $input } });
		my $r = next_line->{response}{response};
		my $out = $r->{behavior} eq 'allow' ? `$r->{updatedInput}{command}` : $r->{message};
		say_({ type => 'user', message => { content => [{ type => 'tool_result', tool_use_id => 't1',
			content => $out, is_error => $r->{behavior} eq 'allow' ? JSON::PP::false : JSON::PP::true }] } });
		result("ran: $out");
	} elsif ($what eq 'work') {
		say_({ type => 'assistant', message => { content => [{ type => 'thinking', thinking => 'hm' },
			{ type => 'tool_use', id => 't3', name => 'Read', input => { file => 'f' } }] } });
		say_({ type => 'user', message => { content => [{ type => 'tool_result', tool_use_id => 't3',
			content => 'the file' }] } });
		text($rest);
		say_({ type => 'result', is_error => JSON::PP::false, result => $rest, total_cost_usd => 0.25,
			usage => { input_tokens => 30, output_tokens => 12 } });
	} elsif ($what eq 'choose') {
		say_({ type => 'control_request', request_id => 'r2', request => {
			subtype => 'can_use_tool', tool_name => 'AskUserQuestion', tool_use_id => 't2',
			input => { questions => [{ question => 'Which?', options => [{ label => 'red' }, { label => 'blue' }] }] } } });
		result("chosen: " . next_line->{response}{response}{updatedInput}{answers}{'Which?'});
	} elsif ($what eq 'wait') {
		text('waiting');
	} elsif ($what eq 'deaf') {
		$SIG{INT} = sub { print STDERR "interrupted\n"; exit 0 };
		text('deaf');
		sleep 1 while 1;
	} elsif ($what eq 'die') {
		print STDERR "no such model\n";
		exit 3;
	} elsif ($what eq 'daemon') {
		system 'setsid sh -c "sleep 1000; : ' . $rest . '" >/dev/null 2>&1 </dev/null &';
		result('started');
	}
}
END

# Install it in a directory, as "claude": its path.
sub install {
	my ($dir) = @_;
	my $program = "$dir/claude";
	write_file($program, $program_text);
	chmod 0755, $program;
	return $program;
}

1;
