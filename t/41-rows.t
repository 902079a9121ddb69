#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# A session as rows: by pages over HTTP, and as they come on a WebSocket.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for);
use JSON::PP;
use Rows;
use Sign qw(:all);
use Test::More;

my ($anna, $bert) = (key_new(), key_new());
my $host;

sub page {
	my ($id, $query, $key) = @_;
	my $path = "/sessions/$id/journal";
	return $host->http(GET => "$path?" . ($query // ''),
		$key ? signed_get_headers($key, $path) : {});
}
sub positions { return [map { $_->{pos} } @{ $_[0]{json}{rows} }] }

for my $workers (1, 4) {
	$host = CoHost->start(workers => $workers);
	my $at = "with -w $workers";

	# ---- as they come ----

	my $tab = Rows->new($host, $anna, session_id => 'hers');
	my $hello = $tab->open;
	is_deeply [@$hello{qw(status head first turn question title mode turns_left)}],
	    ['new', 0, 0, 0, undef, '', 'auto', undef], "CONNECTED tells the state of a new session $at";
	ok !$hello->{running} && $hello->{epoch} > 0, "no turn runs in a new session $at";
	$tab->say(INPUT => prompt => 'stream 2 1', input_id => 'one');
	$tab->read_end;
	is_deeply [grep { $_ ne 'start' } @{ $tab->types }],
	    [qw(input user_input tool_call tool_result tool_call tool_result turn_result done)],
	    "a turn is sent as rows, from its input to its end $at";
	my ($first, $last) = @{ $tab->rows }[0, -1];
	is_deeply [@$first{qw(pos turn prompt input_id)}], [1, 1, 'stream 2 1', 'one'],
	    "the row of an input has its prompt and its input_id $at";
	is_deeply [@$last{qw(turn result input_id)}], [1, 'Streamed 2 steps.', 'one'],
	    "the row of an end has the result and the input_id $at";
	ok !exists $last->{session} && !exists $last->{session_id},
	    "a row has no conversation and no session_id $at";
	is $tab->rows->[1]{turn}, 1, "turn of a row is the turn of the session $at";
	is_deeply $tab->others, [], "no OUTPUT is sent beside the rows $at";

	# ---- pages ----

	my $all = page('hers', '', $anna);
	is $all->{status}, 200, "the owner reads the journal $at";
	is_deeply $all->{json}{rows}, $tab->rows, "a page has the rows that were sent $at";
	is_deeply [@{ $all->{json} }{qw(session_id epoch head first before after)}],
	    ['hers', $hello->{epoch}, $tab->last_pos, 1, undef, undef],
	    "a page tells the epoch and the ends of the journal $at";
	my $newest = page('hers', 'limit=3', $anna);
	my $head = $tab->last_pos;
	is_deeply positions($newest), [$head - 2 .. $head], "a page has the newest rows, oldest first $at";
	is $newest->{json}{before}, $head - 2, "a page tells where older rows are read $at";
	my $older = page('hers', "before=$newest->{json}{before}&limit=1000", $anna);
	is_deeply positions($older), [1 .. $head - 3], "the page before it has the rest $at";
	is_deeply [@{ $older->{json} }{qw(before after)}], [undef, $head - 3],
	    "a page that begins at the first row has newer ones after it $at";
	my $after = page('hers', 'after=0&limit=2', $anna);
	is_deeply positions($after), [1, 2], "a page after a position has the first rows after it $at";
	is_deeply [@{ $after->{json} }{qw(before after)}], [undef, 2], "a page after a position tells where to go on $at";
	is_deeply positions(page('hers', "after=$head", $anna)), [], "no row is after the head $at";
	is page('hers', '', $bert)->{status}, 404, "the journal of another caller is unknown $at";
	is page('hers', '')->{status}, 404, "an unsigned caller does not read it $at";
	is page('none', '', $anna)->{status}, 404, "the journal of an unknown session is unknown $at";
	is_deeply page('hers', '', key_of($host))->{json}{rows}, $tab->rows,
	    "an admin reads any journal $at";
	$host->input('echo mine', session => { session_id => 'open' });
	is page('open', 'limit=1')->{json}{rows}[0]{result}, 'mine',
	    "a session that nobody owns is read by its id $at";

	# ---- two tabs ----

	my $other = Rows->new($host, $anna, session_id => 'hers');
	my $there = $other->open;
	is_deeply [@$there{qw(status head first turn title)}], ['connected', $head, 1, 1, 'stream 2 1'],
	    "a second tab is told the state and the title $at";
	ok !exists $there->{session} && !exists $there->{chat_items},
	    "a second tab gets no conversation beside the rows $at";
	$other->settle;
	is_deeply $other->rows, [], "a client without a cursor gets no old rows $at";
	$tab->say(INPUT => prompt => 'ask Which?|red|blue');
	my $question = $other->read_type('ask_user');
	is $other->rows->[0]{prompt}, 'ask Which?|red|blue', "a tab sees the prompt of another one $at";
	my $third = Rows->new($host, $anna, session_id => 'hers', cursor => "$hello->{epoch}-0");
	my $waiting = $third->open;
	is $waiting->{status}, 'running', "a client comes while a turn runs $at";
	ok $waiting->{running}, "CONNECTED says that a turn runs $at";
	is $waiting->{question}, $question->{pos}, "CONNECTED says which question waits $at";
	$other->say(ASK_USER_RESPONSE => answer => 'blue', request_id => $question->{id});
	my ($answer) = map { $_->read_type('answer') } $tab, $other, $third;
	is_deeply [@$answer{qw(kind answer question)}], ['ask_user', 'blue', $question->{pos}],
	    "a tab sees that a question was answered in another one $at";
	$_->read_end for $tab, $other, $third;
	is_deeply $third->rows, $tab->rows, "position 0 is a cursor before all rows $at";

	# ---- further inputs ----

	$tab->say(INPUT => prompt => 'stream 100 20', input_id => 'long');
	$other->read_type('tool_call');
	$other->say(INPUT => prompt => 'echo more', input_id => 'more');
	my $ack = $other->read_type('RUNTIME_INPUT_ACK');
	is $ack->{input_id}, 'more', "the acknowledgement of an input names it $at";
	my ($more) = grep { $_->{type} eq 'more_input' } @{ $other->rows };
	$more //= $other->read_type('more_input');
	is_deeply [@$more{qw(id prompt input_id)}], [$ack->{id}, 'echo more', 'more'],
	    "the row of a further input has the id of its acknowledgement $at";
	$other->say('INTERRUPT');
	$tab->read_type('interrupt');
	$_->read_end for $tab, $other, $third;
	is $tab->rows->[-1]{type}, 'done', "an interrupted turn has its end as row $at";
	$tab->say(INPUT => prompt => 'fail loudly', input_id => 'bad');
	$_->read_end for $tab, $other, $third;
	is_deeply [@{ $tab->rows->[-1] }{qw(type reason code message input_id)}],
	    ['failed', 'failed', -32603, 'Unable to run agent', 'bad'],
	    "a failed turn ends in a row that says why $at";
	is_deeply $third->rows, $tab->rows, "all tabs have the same rows $at";

	# ---- repeated inputs ----

	$tab->settle;
	@{ $tab->others } = ();
	$tab->say(INPUT => prompt => 'stream 2 1', input_id => 'one');
	my $again = $tab->read_type('OUTPUT');
	is_deeply [@$again{qw(result input_id)}], ['Streamed 2 steps.', 'one'],
	    "an input that was said before is answered by its OUTPUT $at";
	is_deeply $again->{session}, { session_id => 'hers' }, "such an OUTPUT has no conversation $at";
	$tab->say(INPUT => prompt => 'fail loudly', input_id => 'bad');
	is $tab->read_type('ERROR')->{input_id}, 'bad', "a failed input that was said before is answered by its ERROR $at";

	# ---- coming back ----

	$_->cut for $other, $third;
	$tab->say(INPUT => prompt => 'echo meanwhile');
	$tab->read_end;
	$third->open;
	$third->read_end;
	is_deeply $third->rows, $tab->rows, "a tab that comes back gets what it missed $at";
	is_deeply [map { @{ $_->problems } } $tab, $other, $third], [],
	    "no row came twice, and none is missing $at";

	# ---- ROWS ----

	$tab->say(ROWS => before => 4, limit => 2, request_id => 'r1');
	my $got = $tab->read_type('ROWS');
	is_deeply [map { $_->{pos} } @{ $got->{rows} }], [2, 3], "ROWS answers with a page $at";
	is_deeply [@$got{qw(request_id session_id before after first)}], ['r1', 'hers', 2, 3, 1],
	    "the answer to ROWS has the members of a page and the request_id $at";
	$tab->say(ROWS => limit => 2000);
	is $tab->read_type('ERROR')->{message}, 'limit must be 1 to 1000', "a wrong limit is refused $at";

	# ---- other journals ----

	my $lost = Rows->new($host, $anna, session_id => 'hers', cursor => '17-3');
	my $void = $lost->open;
	ok $void->{chat_items} && $void->{session}, "a cursor of another epoch gets the conversation $at";
	$lost->read_until(sub { ($_[0]{pos} // 0) == $tab->last_pos });
	is_deeply $lost->resets, [{ type => 'reset', recovered => JSON::PP::false, session_id => 'hers' }],
	    "a cursor of another epoch gets one reset $at";
	is_deeply $lost->rows, $tab->rows, "a reset is followed by all rows $at";
	my $ahead = Rows->new($host, $anna, session_id => 'hers', cursor => "$hello->{epoch}-9999");
	$ahead->open;
	$ahead->read_type('reset');
	ok !exists $ahead->resets->[0]{missed}, "a position beyond the head is of another journal $at";
	$host->stop;
}

# ---- what is not kept ----

$host = CoHost->start(args => ['-o', 'journal_events=100']);
my $tab = Rows->new($host, $anna, session_id => 'short');
my $epoch = $tab->open->{epoch};
$tab->say(INPUT => prompt => 'stream 100 0');
$tab->read_end;
my $kept = page('short', 'limit=1000', $anna)->{json};
cmp_ok $kept->{first}, '>', 1, 'old rows are no longer kept';
is $kept->{rows}[0]{pos}, $kept->{first}, 'a page begins with the first row that is kept';
is $kept->{before}, undef, 'a page with the first row that is kept has no page before it';
my $late = Rows->new($host, $anna, session_id => 'short', cursor => "$epoch-1");
$late->open;
$late->read_end;
is $late->resets->[0]{missed}, $kept->{first} - 2, 'a reset tells how many rows are missing';
is $late->rows->[0]{pos}, $kept->{first}, 'the rows that are kept follow the reset';

# ---- a journal that is lost ----

my $first = CoHost->start;
my $old = Rows->new($first, $anna, session_id => 'kept');
$old->open;
$old->say(INPUT => prompt => 'echo kept');
$old->read_end;
$first->stop;
unlink glob $first->dir . '/.co/store/journal.mdb*';
my $second = CoHost->start(dir => $first->dir);
for my $cursor ('', $old->{cursor}) {
	my $what = length $cursor ? 'with' : 'without';
	my $back = Rows->new($second, $anna, session_id => 'kept', cursor => $cursor);
	my $said;
	# Without the journal, signatures of the seconds before its loss count as used.
	wait_for(10, sub { $said = eval { $back->open } });
	is $said->{head}, 0, "a client $what a cursor is told that the journal is empty";
	is_deeply [map { $_->{content} } @{ $said->{chat_items} }], ['echo kept', 'kept'],
	    "a client $what a cursor gets the conversation in place of lost rows";
	$back->settle;
	is scalar @{ $back->resets }, length $cursor ? 1 : 0,
	    "a client $what a cursor is told of lost rows if it had some";
	next unless length $cursor;
	$back->say(INPUT => prompt => 'echo again');
	$back->read_end;
	is $back->rows->[0]{prompt}, 'echo again', 'a client gets the rows that follow a lost journal';
}
my $bare = Rows->new($second, $anna, session_id => 'kept', cursor => $old->{cursor});
$bare->open;
$bare->read_end;
is $bare->rows->[0]{pos}, 1, 'a new journal begins with position 1';
isnt $bare->{epoch}, $old->{epoch}, 'a new journal has another epoch';
is_deeply $bare->problems, [], 'the rows of a new journal are complete';
$second->stop;

# ---- large rows ----

my $large = Rows->new($host, $anna, session_id => 'large');
$large->open;
for (1 .. 3) {
	$large->say(INPUT => prompt => 'echo ' . 'x' x 300_000);
	$large->read_end;
}
my ($n, $before, @all) = (0, '');
do {
	my $p = page('large', "limit=1000$before", $anna);
	cmp_ok length $p->{body}, '<', 1_000_000, 'a page has a limit in bytes';
	unshift @all, @{ $p->{json}{rows} };
	$before = defined $p->{json}{before} ? "&before=$p->{json}{before}" : undef;
	$n++;
} while defined $before && $n < 20;
cmp_ok $n, '>', 1, 'more than that takes several pages';
is_deeply \@all, $large->rows, 'the pages together are all rows';

# ---- bad input ----

is page('short', $_->[0], $anna)->{json}{error}, $_->[1], "?$_->[0] is refused" for
    ['limit=0', 'limit must be 1 to 1000'], ['limit=1001', 'limit must be 1 to 1000'],
    ['before=x', 'before, after and limit must be integers'],
    ['before=0', 'before must be a position, from 1'],
    ['before=3&after=3', 'before and after exclude each other'];
for ([5, 'a number'], ['12', 'one number'], ['-', 'a dash'], ['1-2x', 'a trailing letter'],
    ['9' x 60 . '-1', 'many digits']) {
	my $bad = Rows->new($host, $anna, session_id => 'short');
	eval { $bad->open(rows => $_->[0]) };
	is $@, qq(rows must be "EPOCH-POSITION" or ""\n), "rows of CONNECT: $_->[1] is refused";
}
my $v1 = $host->ws;
$v1->send_json(connect_frame($anna, $host, session_id => 'short', payload => { rows => '' }));
like $v1->next(type => 'ERROR')->{message}, qr/^rows need signed commands/,
    'rows on a socket that does not sign its commands are refused';
$host->stop;
done_testing;
