#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The operator's board in a real browser: a server with four workers, of which one is killed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(run source write_file);
use File::Temp;
use Page;
use Test::More;

Page::needs_browser();
# A turn that runs does not hold up the end.
my $host = CoHost->start(workers => 4, yaml => "name: tester\n", args => ['-o', 'drain_timeout=1']);
write_file("$host->{dir}/.co/contacts.txt", "ann\nbob\n");

# A session that has ended, a long one, one that waits for a person, and one that runs.
my %ws;
sub begin {
	my ($id, $prompt) = @_;
	my $ws = $ws{$id} = $host->ws(session => { session_id => $id });
	$ws->send_json({ type => 'INPUT', prompt => $prompt });
	return $ws;
}
begin(tour => 'ask Which?|red|green')->next(type => 'ask_user');
$ws{tour}->send_json({ type => 'ASK_USER_RESPONSE', answer => 'green' });
$ws{tour}->next(type => 'OUTPUT');
begin(big => 'stream 1000 0')->next(type => 'OUTPUT');
begin(waits => 'approve rm')->next(type => 'approval_needed');
begin(runs => 'stream 100000 20')->next(type => 'tool_call');

# The command by which the page says that its reader becomes an admin.
sub obey {
	my ($command) = @_;
	die "not so: $command\n" if $command !~ /\Aecho 0x[0-9a-f]{64} >> \.co\/admins\.txt\z/;
	return run(['sh', '-c', $command], dir => "$host->{dir}")->{status};
}

# Runs a script as a story of t/.
sub play {
	my ($script) = @_;
	my $dir = File::Temp->newdir;
	symlink source('t/lib'), "$dir/lib" or die "symlink: $!\n";
	write_file("$dir/copied.t", $script);
	my $r = run([$^X, "$dir/copied.t"], timeout => 60);
	diag $script, $r->{out} if $r->{status};
	return $r->{status};
}

Page::story('board', $host, obey => \&obey, play => \&play, kill => sub { kill KILL => $_[0] });
$host->stop;
done_testing;
