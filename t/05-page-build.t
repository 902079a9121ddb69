#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The page is built of its sources alone, wherever they are, and stays within its budget.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks read_file run source write_file);
use File::Temp qw(tempdir);
use Test::More;

my $page = "$ENV{TOP_BUILDDIR}/page";
run([source('scripts/page'), source('web'), $page], timeout => 120);
lacks('node, or the packages of web/package-lock.json, are not there')
    unless -e "$page/.installed";

# Copies with packages of their own.
my @dirs = map { tempdir(CLEANUP => 1) . '/' . $_ } 'a', 'other place';
is run(['cp', '-r', $page, $_], timeout => 60)->{status}, 0, 'the page can be copied' for @dirs;

sub build {
	my ($dir) = @_;
	return run([source('scripts/page'), source('web'), $dir, "$dir/../table.c"], timeout => 60,
		env => { npm_config_registry => 'http://127.0.0.1:9/' });
}

my @built = map { build($_) } @dirs;
is $built[$_]{status}, 0, "build $_ of the page succeeds" or diag $built[$_]{out} for 0, 1;
my @tables = map { read_file("$_/../table.c") } @dirs;
cmp_ok length $tables[0], '>', 10_000, 'a build makes a table';
ok $tables[0] eq $tables[1], 'two builds in different places give equal bytes';
is run(['diff', '-r', map { "$_/dist" } @dirs])->{out}, '', 'two builds give the same files';
like $built[0]{out}, qr/^page: first visit, br: \d+ of 60000 bytes$/m, 'a build prints its sizes';

my $assets = "$dirs[0]/dist/assets";
my @scripts = glob "'$assets'/*.js";
my %named = map { $_ => 1 } map { read_file($_) =~ m{"\./([^"]+\.js)"}g } @scripts;
cmp_ok scalar keys %named, '>=', 5, 'scripts name others, which load when they are needed';
is join(' ', grep { !-e "$assets/$_" } sort keys %named), '', 'every script that is named is there';
is scalar(() = read_file("$dirs[0]/dist/index.html") =~ /\.js"/g), 2,
    'a first visit loads two scripts';

my $licenses = read_file("$dirs[0]/dist/licenses.txt");
like $licenses, qr/^preact \d\S+ \(MIT\)\n\n.*?Permission is hereby granted/ms,
    'licenses.txt has the licence of what is bundled';
unlike $licenses, qr/^(?:esbuild|axe-core|playwright)/m, 'licenses.txt has nothing else';

# A build over its budget: noise that nothing can compress, in what is loaded first.
my $dir = $dirs[0];
my $sources = tempdir(CLEANUP => 1) . '/web';
run(['cp', '-r', source('web'), $sources]);
srand 7;
my $noise = join '', map { chr(97 + rand 26) } 1 .. 120_000;
write_file("$sources/views/main.jsx", qq(document.title = "$noise";\n));
my $r = run([source('scripts/page'), $sources, $dir, "$dir/../big.c"], timeout => 60);
is $r->{status}, 1, 'a build over its budget fails';
like $r->{out}, qr/^page: first visit, br: \d+ bytes are over 60000$/m,
    'the build says which budget is exceeded';
ok !-e "$dir/../big.c", 'a build over its budget leaves no table';

# A package that nobody has named.
write_file("$sources/views/main.jsx", qq(import "missing-package";\n));
$r = run([source('scripts/page'), $sources, $dir, "$dir/../broken.c"], timeout => 60);
isnt $r->{status}, 0, 'a build with a missing package fails';
like $r->{out}, qr/missing-package/, 'the build names the missing package';
done_testing;
