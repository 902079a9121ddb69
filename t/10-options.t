#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What the program says of itself, and how it refuses wrong options.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run);
use Test::More;

my $co = program('co-hostd');

my $r = run([$co, '-V']);
is $r->{status}, 0, '-V ends well';
like $r->{out}, qr/^co-hostd \d+\.\d+\.\d+, libh2o \d+\.\d+\.\d+/,
    '-V tells name, version and the release of libh2o';
is run([$co, '--version'])->{out}, $r->{out}, '--version prints the same as -V';

my $help = run([$co, '--help']);
is $help->{status}, 0, '--help ends well';
is run([$co, '-h'])->{out}, $help->{out}, '-h prints the same as --help';
for my $option (qw(-w --workers -p --port -b --bind -d -c -a --agent --trust -D
    --daemon --pid-file -l --user --init -t -V -h -o)) {
	like $help->{out}, qr/(?<![\w-])\Q$option\E\b/, "--help describes $option";
}

my ($commands) = $help->{out} =~ /^Commands:\n((?:  .*\n)+)/m;
like $commands, qr/^  \Q$_\E /m, "--help describes the command $_"
    for ('init [DIR]', 'status', 'sessions', 'show ID', 'conf', 'backup DIR', 'export', 'import FILE');

my @wrong = (
	[['--no-such-option'], qr/no-such-option/],
	[['-p'], qr/argument|-p|port/],
	[['-p', 'eighty'], qr/port.*0.*65535/s],
	[['-p', '65536'], qr/option -p: port.*65535/s],
	[['--port', '65536'], qr/option --port: port.*65535/s],
	[['-w', '0'], qr/workers.*1.*60/s],
	[['-w', 'many'], qr/workers/],
	[['-o', 'idle_timeout'], qr/option -o must be KEY=VALUE, not: idle_timeout/],
	[['--set', 'idle_timeout'], qr/option --set must be KEY=VALUE/],
	[['-oidle_timeout=never'], qr/option -o: idle_timeout must be/],
	[['--set=idle_timeout=never'], qr/option --set: idle_timeout must be/],
	[['--ready-fd', 'x'], qr/option --ready-fd must be a number, not: x/],
	[['import'], qr/import takes one file: none was given/],
	[['export', 'one', 'two'], qr/unexpected argument: two/],
	[['-b', '192.0.2.1'], qr/192\.0\.2\.1 .*: not an address of this machine/],
	[['-o', 'idle_timeuot=5'], qr/idle_timeuot/],
	[['-o', 'idle_timeout=soon'], qr/idle_timeout.*1.*604800/s],
	[['-o', 'durability=hope'], qr/durability.*power.*process/s],
	[['--trust', 'blindly'], qr/trust.*open/s],
	[['-a', 'telepathy'], qr/agent.*(?:demo|exec)/s],
	[['-b', 'not an address'], qr/not an address/],
	[['-d', '/no/such/directory'], qr{/no/such/directory}],
	[['-c', '/no/such/file'], qr{/no/such/file}],
	# Who is not root stays who he is, and the option says nothing.
	$> == 0 ? [['--user', 'no-such-user-here'], qr/no-such-user-here/] : (),
	[['left', 'over'], qr/no command: left/],
	[['init', 'one', 'two'], qr/two/],
);
my $dir = CoHost::directory();
for (@wrong) {
	my ($args, $says) = @$_;
	my @dir = $args->[0] eq '-d' ? () : ('-d', "$dir");
	my $r = run([$co, @dir, '-p', 0, @$args],
		env => { HOME => "$dir/home" });
	ok $r->{status} > 0 && $r->{status} < 128, "@$args is refused"
	    or diag $r->{status};
	like $r->{out}, $says, 'the message says what was wrong with the option';
	unlike $r->{out}, qr/Waiting for tasks/, 'a wrong option starts no server';
}
done_testing;
