#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What providers of models do wrong: an llm agent asks again where that may help, and otherwise
# its turn fails with a reason.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use ScriptedModel;
use Test::More;

sub chunk { return 'data: ' . JSON::PP->new->canonical->encode($_[0]) . "\n\n" }
sub delta { return chunk({ choices => [ { delta => { content => $_[0] } } ] }) }
my $stop = chunk({ choices => [ { delta => {}, finish_reason => 'stop' } ] });
my $done = "data: [DONE]\n\n";
my @ok = ({ text => 'Well.' });

# name, the answers of the model, the result ('' if the turn fails), what the agent log has.
my @cases = (
	[ '429', [ { status => 429, headers => { 'Retry-After' => 1 }, times => 1 }, @ok ], 'Well.', qr/429.*asked again in 1000 ms/ ],
	[ '409', [ { status => 409, times => 1 }, @ok ], 'Well.', qr/409.*asked again/ ],
	[ '500', [ { status => 500, body => 'oops', times => 2 }, @ok ], 'Well.', qr/500.*asked again/ ],
	[ '503', [ { status => 503, headers => { 'Retry-After' => 1 }, times => 1 }, @ok ], 'Well.', qr/503.*asked again in 1000 ms/ ],
	[ '400', [ { status => 400, body => { error => { message => 'bad sk-secret' } } } ], '', qr/400: "bad sk-secret"/ ],
	[ '401', [ { status => 401, body => { error => { message => 'wrong key sk-secret' } } } ], '', qr/401: "wrong key/ ],
	[ 'late', [ { status => 429, headers => { 'Retry-After' => 3600 } } ], '', qr/429/ ],
	[ 'cut-first', [ { cut => JSON::PP::true, times => 1 }, @ok ], 'Well.', qr/asked again/ ],
	[ 'cut-later', [ { text => 'Half of it', cut => JSON::PP::true } ], '', qr/ended before|cut|closed/i ],
	[ 'no-finish', [ { raw => delta('Half') . $done } ], '', qr/cut|before its end|ended/i ],
	[ 'no-done', [ { raw => delta('All') . $stop } ], 'All', undef ],
	[ 'empty', [ { raw => '', times => 1 }, @ok ], 'Well.', qr/empty.*asked again/ ],
	[ 'only-done', [ { raw => $done, times => 1 }, @ok ], 'Well.', qr/asked again/ ],
	[ 'no-json', [ { raw => "data: {\"choices\": [}\n\n", times => 1 }, @ok ], 'Well.', qr/no JSON object.*asked again/ ],
	[ 'nan', [ { raw => "data: {\"choices\": [{\"delta\": {\"content\": \"x\"}, \"logprob\": NaN}]}\n\n", times => 1 }, @ok ],
		'Well.', qr/no JSON object/ ],
	[ 'error', [ { raw => chunk({ error => { message => 'later', code => 503 } }), times => 1 }, @ok ], 'Well.', qr/503: "later"/ ],
	[ 'error-late', [ { raw => delta('Half') . chunk({ error => { message => 'no more' } }) } ], '', qr/no more/ ],
	[ 'no-usage', [ { text => 'Free.', usage => undef } ], 'Free.', undef ],
	[ 'utf8', [ { raw64 => encode_base64(qq(data: {"choices":[{"delta":{"content":"a\xff b"}}]}\n\n$stop), '') } ],
		"a\x{fffd} b", undef ],
	[ 'umlauts', [ { text => 'äöü€😀' x 50, piece => 7 } ], 'äöü€😀' x 50, undef ],
	[ 'whole', [ { text => 'In one.', whole => JSON::PP::true } ], 'In one.', undef ],
	[ 'length', [ { text => 'Too sho', finish => 'length' } ], 'Too sho', undef ],
	[ 'filter', [ { finish => 'content_filter' } ], '', qr/withheld/ ],
	[ 'silent', [ { text => 'Half', cut => JSON::PP::true, hang => 60 } ], '', qr/Operation too slow|timed out|silen/i ],
	[ 'endless', [ { endless => JSON::PP::true } ], '', qr/longer than 8 MiB/ ],
	[ 'no-ids', [ { raw => chunk({ choices => [ { delta => { tool_calls => [ { function => { name => 'glob',
			arguments => '{"pattern":"*.none"}' } } ] }, finish_reason => 'tool_calls' } ] }) }, @ok ], 'Well.', undef ],
	[ 'object', [ { raw => chunk({ choices => [ { delta => { tool_calls => [ { id => 'x', index => 0, function => {
			name => 'glob', arguments => { pattern => '*.none' } } } ] }, finish_reason => 'tool_calls' } ] }) }, @ok ],
		'Well.', undef ],
	[ 'many', [ { calls => [ map { { name => 'glob', id => "c$_" } } 1 .. 70 ] } ], '', qr/more than 64 tools/ ],
);
my $model = ScriptedModel->start({ map { $_->[0] => $_->[1] } @cases });
my $host = $model->host(yaml => "model_idle_timeout: 2\njournal_bytes: 1073741824\n");

my @clients = map {
	my $ws = $host->ws(session => { session_id => "s-$_->[0]" });
	$ws->send_json({ type => 'INPUT', prompt => "\@$_->[0]" });
	$ws;
} @cases;
my %error;
for my $i (0 .. $#cases) {
	my ($name, undef, $want) = @{ $cases[$i] };
	my @all = $clients[$i]->all_until('OUTPUT', 'ERROR');
	my ($result) = grep { $_->{type} eq 'llm_result' } reverse @all;
	is $all[-1]{result}, $want, "the turn has its result ($name)" if $want ne '';
	next if $want ne '';
	is $all[-1]{reason}, 'model', "the turn fails with the reason model ($name)";
	is $result->{status}, 'error', "llm_result tells of the failure ($name)";
	unlike(JSON::PP->new->encode(\@all), qr/sk-secret/, "clients are not told what the provider said ($name)");
	is((grep { $_->{type} eq 'turn_result' } @all)[0]{reason}, 'error', "turn_result tells of the failure ($name)");
}
my $log = join '', map { read_file($_) } glob $host->dir . '/.co/logs/*';
for (@cases) {
	my ($name, undef, undef, $why) = @$_;
	my $own = join "\n", grep { /s-\Q$name\E\b/ } split /\n/, $log;
	like $own, $why, "the agent log says what happened ($name)" if $why;
}
is $host->metric('cohostd_model_calls'), 0, 'no question is left in progress after all faults';
is $host->metric('cohostd_runs'), 0, 'no turn is left running after all faults';

# ---- Anthropic ----

sub event { my ($name, %o) = @_; return "event: $name\n" . chunk({ type => $name, %o }) }
my $begin = event('message_start', message => { usage => { input_tokens => 3 } });
my $text = event('content_block_delta', index => 0, delta => { type => 'text_delta', text => 'Half' });
@cases = (
	[ 'overloaded', [ { raw => event('error', error => { type => 'overloaded_error', message => 'x' }), times => 1 }, @ok ], 'Well.' ],
	[ 'status', [ { status => 529, times => 1 }, @ok ], 'Well.' ],
	[ 'no-reason', [ { raw => $begin . $text . event('message_stop') } ], '' ],
	[ 'cut', [ { raw => $begin . $text } ], '' ],
	[ 'refusal', [ { finish => 'refusal' } ], '' ],
	[ 'tools', [ { calls => [ { name => 'glob', args => { pattern => '*.none' } } ] }, @ok ], 'Well.' ],
);
$model = ScriptedModel->start({ map { $_->[0] => $_->[1] } @cases });
my $other = $model->host(yaml => "model_api: anthropic\n");
for (@cases) {
	my ($name, undef, $want) = @$_;
	my $r = $other->input("\@$name")->{json};
	is $want eq '' ? $r->{reason} : $r->{result}, $want eq '' ? 'model' : $want,
	    "a turn with a model of Anthropic ends as it must ($name)";
}
$other->stop;
$host->stop;
done_testing;
