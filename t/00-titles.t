#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The title of a test stands alone in a log.
use strict;
use warnings;
use FindBin;
use File::Temp ();
use Test::More;

my $top = "$FindBin::Bin/..";
my $check = "'$^X' $top/scripts/check-titles";
my $tree = `$check $top/t/*.t $top/t/unit/*.c 2>&1`;
is $?, 0, 'each title of the tree stands alone' or diag $tree;

# The check itself sees what it is for.
my $folder = File::Temp->newdir(TMPDIR => 1);

# What the check prints of a test, without the path.
sub said_of {
	my ($name, $text) = @_;
	open my $file, '>', "$folder/$name" or die "$name: $!";
	print $file $text;
	close $file or die "$name: $!";
	return `$check $folder/$name 2>&1` =~ s{\Q$folder\E/}{}gr;
}

# A title, and what the check says of it.
my @titles = (
	['a session without a turn has an empty trace', undef],
	['from a loopback peer, the whole list is sent', undef],
	['and the body is empty', 'begins in the middle of a sentence'],
	['which grows no more', 'begins in the middle of a sentence'],
	['with this body', 'begins with a preposition and names no case'],
	['it answers at once', 'has a pronoun for its subject'],
	['another is refused', 'has a pronoun for its subject'],
	['is not found', 'has no subject'],
	['a wrong size is refused too', 'leans on another title'],
	['a small table does not', 'leans on another title'],
	['quite empty', 'has fewer than three words'],
	['an unknown type of frame', 'has no verb'],
);
for (@titles) {
	my ($title, $fault) = @$_;
	my $said = said_of('one.t', "ok 1, '$title';\n");
	is $said, $fault ? "one.t:1: $fault: $title\n1 of 1 titles do not stand alone\n" : '',
	    "'$title' " . ($fault ? "is reported: it $fault" : 'is accepted');
}

is said_of('two.t', "ok 1, 'a reader is counted';\nok 2, 'a reader is counted';\n"),
    "two.t:2: is also at line 1: a reader is counted\n1 of 2 titles do not stand alone\n",
    'a title that stands twice in a file is reported';
is said_of('loop.t', q{is $_->{x}, 1, "$_->{name}: and x" for @cases;}), '',
    'a title that begins with a variable is accepted';
is said_of('helper.t', <<'END'),
sub answers {
	my ($r, $what) = @_;
	is $r->{status}, 200, $what;
}
answers(get('/a, b'), 'and another');
END
    "helper.t:5: begins in the middle of a sentence: and another\n"
    . "1 of 1 titles do not stand alone\n", 'a title that a function passes on is checked';
is said_of('unit.c', <<'END'),
static void answers(int n, const char *name)
{
	is_int(n, 200, "%s", name);
}
static void test(void)
{
	static const struct { const char *name; int n; } cases[] = {
	    {"an empty list has no entry", 0},
	    {"nor does "
	     "a comment", 0},
	};
	ok(count(cases[0].n, "x, y") == 0, "%s", cases[0].name);
	answers(1, "and another");
}
END
    "unit.c:9: begins in the middle of a sentence: nor does a comment\n"
    . "unit.c:13: begins in the middle of a sentence: and another\n"
    . "2 of 3 titles do not stand alone\n", 'rows of tables and functions of C are checked';
done_testing;
