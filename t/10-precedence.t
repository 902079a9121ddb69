#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Settings: host.yaml gives way to the command line; .env reaches the environment.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program run write_file);
use Test::More;

my $dir = CoHost::directory(yaml => "name: from-file\nping_interval: 7\n");
write_file("$dir/.env", "AGENT_PORT=none-of-this\n");

my $r = run([program('co-hostd'), '-d', "$dir", '-t'],
	env => { HOME => "$dir/home", AGENT_PORT => undef });
isnt $r->{status}, 0, 'a variable of .env counts as one of the environment';
like $r->{out}, qr/AGENT_PORT/, 'the message about a wrong variable of .env names it';

$r = run([program('co-hostd'), '-d', "$dir", '-t'],
	env => { HOME => "$dir/home", AGENT_PORT => 4711 });
is $r->{status}, 0, '.env does not replace a variable that is set';

write_file("$dir/.env", '');
my $host = CoHost->start(dir => "$dir", workers => 1);
is $host->http(GET => '/health')->{json}{agent}, 'from-file', 'host.yaml names the agent';
$host->stop;

$host = CoHost->start(dir => "$dir", workers => 1,
	args => ['-o', 'name=from-option']);
is $host->http(GET => '/info')->{json}{name}, 'from-option',
    'the command line overrides the name in host.yaml';
$host->stop;

sub name_of {
	my ($yaml, @args) = @_;
	write_file("$dir/.co/host.yaml", $yaml);
	my $server = CoHost->start(dir => "$dir", workers => 1, args => \@args);
	my $name = $server->http(GET => '/info')->{json}{name};
	$server->stop;
	return $name;
}

is name_of('', '--preset', 'name=from-preset'), 'from-preset', 'a preset takes the place of a default';
is name_of("name: from-file\n", '--preset', 'name=from-preset'), 'from-file',
    'a preset gives way to host.yaml';
is name_of('', '-o', 'name=from-option', '--preset', 'name=from-preset'), 'from-option',
    'an option overrides a preset, whichever comes first';
$r = run([program('co-hostd'), '-d', "$dir", '-t', '--preset', 'nmae=x'], env => { HOME => "$dir/home" });
is $r->{status}, 78, 'a preset of an unknown setting is refused';
like $r->{out}, qr/option --preset.*nmae.*name/,
    'the message names the unknown preset and the nearest setting';

sub trust_of {
	my ($yaml, %env) = @_;
	write_file("$dir/.co/host.yaml", $yaml);
	my $server = CoHost->start(dir => "$dir", workers => 1, env => \%env,
		args => $_[0] =~ /#option/ ? ['--trust', 'strict'] : []);
	my $trust = $server->http(GET => '/info')->{json}{trust};
	$server->stop;
	return $trust;
}

is trust_of(''), 'careful', 'trust is careful by default';
is trust_of('', CONNECTONION_ENV => 'development'), 'open',
    'CONNECTONION_ENV=development makes open the default of trust';
is trust_of("trust: careful\n", CONNECTONION_ENV => 'development'), 'careful',
    'host.yaml overrides CONNECTONION_ENV';
is trust_of("trust: open #option\n", CONNECTONION_ENV => 'development'), 'strict',
    '--trust overrides host.yaml and CONNECTONION_ENV';
is trust_of("trust:\n  default: allow\n"), 'custom', 'a mapping is a trust of its own';

write_file("$dir/.env", <<'END');
export CONNECTONION_ENV = "development" # words
END
is trust_of(''), 'open', 'a quoted variable of .env with a comment is read';
done_testing;
