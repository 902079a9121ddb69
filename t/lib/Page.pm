# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package Page;

# Stories of the page (web/stories), which run in Node.js with a real browser; what they
# check becomes tests here.
#
#   my $host = CoHost->start(workers => 4);
#   Page::story('open', $host);
#   Page::story('restart', $host, restart => sub { ...; return $anything_that_is_JSON });
#
# A story may call kill_worker, kill_workers (all at once) and the subs given here, with
# arguments (tell() of web/test/story.mjs). STORY_SHOTS=FOLDER keeps screenshots there.
use strict;
use warnings;

use CoHost qw(lacks);
use IO::Select;
use IPC::Open2 qw(open2);
use JSON::PP ();
use Test::More ();
use Time::HiRes qw(time);

my $TIMEOUT = 120;
my $json = JSON::PP->new->utf8->allow_nonref;

# The folder with the page's sources and packages. A build has it; a tarball may not.
sub folder {
	my ($top, $build) = @ENV{qw(TOP_SRCDIR TOP_BUILDDIR)};
	my $folder = "$build/page";
	if (!-d "$folder/node_modules/playwright-core") {
		system("$top/scripts/page", "$top/web", $folder) == 0 or return;
	}
	return $folder;
}

# Skip the whole file where stories cannot run.
sub needs_browser {
	lacks('chromium is not there') unless -x '/usr/bin/chromium';
	lacks('node is not there') unless grep { -x "$_/node" } split /:/, $ENV{PATH};
	lacks('the packages of web/package-lock.json are not there') unless folder();
}

# Answer a call of the story.
sub answer {
	my ($line, $calls) = @_;
	my ($name, @args) = @{ $json->decode($line) };
	my $call = $calls->{$name} or return { error => "no sub of this name" };
	my $result = eval { $call->(@args) };
	return $@ ? { error => "$@" } : { result => $result };
}

# One line of a story's output.
sub hear {
	my ($line, $in, $calls) = @_;
	if ($line =~ /^!(.*)/) {
		print $in $json->encode(answer($1, $calls)), "\n";
	} elsif ($line =~ /^(not )?ok \d+ - (.*)/) {
		my ($is_bad, $title) = ($1, $2);
		utf8::decode($title);
		local $Test::Builder::Level = $Test::Builder::Level + 2;
		Test::More::ok(!$is_bad, $title =~ s/\\#/#/gr);
	} elsif ($line =~ /^1\.\.\d+$/) {
		return 1;
	} else {
		utf8::decode($line);
		Test::More::diag($line =~ s/^# //r);
	}
	return 0;
}

# Run a story against a server.
sub story {
	my ($name, $host, %calls) = @_;
	%calls = (
		kill_worker => sub { $host->kill_worker(@_) },
		kill_workers => sub { kill KILL => $host->workers },
		%calls);
	my $script = folder() . "/stories/$name.mjs";
	local $ENV{STORY_URL} = $host->url;
	local $SIG{PIPE} = 'IGNORE';
	my $pid = open2(my $out, my $in, 'node', $script);
	$in->autoflush(1);
	my $end = time + $TIMEOUT * ($ENV{TEST_PATIENCE} || 1);
	my ($buffer, $is_whole, $select) = ('', 0, IO::Select->new($out));
	while ($select->can_read($end > time ? $end - time : 0)) {
		sysread($out, $buffer, 65536, length $buffer) or last;
		while ($buffer =~ s/^(.*)\n//) {
			$is_whole = 1 if hear($1, $in, \%calls);
		}
	}
	kill KILL => $pid if time >= $end;
	close $in;
	waitpid $pid, 0;
	Test::More::ok($is_whole, "the story '$name' comes to its end")
	    or Test::More::diag($host->words);
}

1;
