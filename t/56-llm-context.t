#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What an llm agent puts into the context of its model: images, and a summary when it is full.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use ScriptedModel;
use Test::More;

my $look = { calls => [ { name => 'glob', args => { pattern => '*.none' } } ] };
my $model = ScriptedModel->start({
	see => [ { text => 'I see.' } ],
	long => [ { %$look, usage => [ 3700, 20 ] }, { text => 'not summarised' } ],
	after => [ $look, { text => 'Well remembered.' } ],
	summary => [ { text => 'They want @after.', usage => [ 700, 30 ] } ],
	over => [ { status => 400, body => { error => { message => 'x', code => 'context_length_exceeded' } } } ],
});
my $host = $model->host(yaml => "context_window: 4000\n");

my $pixel = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=';
my $r = $host->input('what is @see', images => [$pixel]);
is $r->{json}{result}, 'I see.', 'a prompt with an image is answered';
is_deeply +($model->requests)[-1]{body}{messages}[0]{content}, [ { type => 'text', text => 'what is @see' },
	{ type => 'image_url', image_url => { url => $pixel } } ], 'the model gets an image as multimodal content';

sub of { my ($type, @all) = @_; return grep { $_->{type} eq $type } @all }

for (['@long', 'a context that is nearly full', 4], ['@over', 'a conversation that the provider finds too long', 4]) {
	my ($prompt, $what, $n) = @$_;
	my $before = () = $model->requests;
	my $ws = $host->ws(session => { session_id => substr $prompt, 1 });
	my @all = $ws->turn("do $prompt");
	my @compact = of('compact', @all);
	is join(' ', map { $_->{status} } @compact), 'compacting done', "$what is compacted";
	is $compact[0]{id}, $compact[1]{id}, "the two compact events have one id ($what)";
	ok exists $compact[1]{context_before} && exists $compact[1]{context_after}, "compact tells what it gained ($what)";
	is $all[-1]{result}, 'Well remembered.', "the turn goes on after $what";
	my @asked = map { $_->{body} } ($model->requests)[ $before .. $before + 3 ];
	like $asked[1]{messages}[0]{content}, qr/^Below is the record.*user: do $prompt/s, "the model is asked for a summary of $what";
	ok !$asked[1]{tools}, "the question for a summary offers no tools ($what)";
	is_deeply [ map { $_->{role} } @{ $asked[2]{messages} } ], [qw(user user)],
	    "the summary and the prompt stand for the conversation ($what)";
	like $asked[2]{messages}[0]{content}, qr/They want \@after/, "the model gets the summary ($what)";
	is $asked[2]{messages}[1]{content}, "do $prompt", "the model gets the prompt again ($what)";
	is scalar(@{ $all[-1]{session}{messages} }), 5, "the session has the compacted conversation ($what)";
}
is $host->metric('cohostd_compactions_total'), 2, 'compactions are counted';
$host->stop;
done_testing;
