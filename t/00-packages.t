#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# debian/ agrees with the rest of the tree; "make check-deb" builds the packages and tries them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program read_file run source);
use Test::More;

my $debian = source('debian');
my ($version) = read_file(source('configure.ac')) =~ /^AC_INIT\(\[co-hostd\], \[(.*?)\]\)/m;
like read_file("$debian/changelog"), qr/\Aco-hostd \(\Q$version\E\) /,
    'the packages have the version of the program';

# What is named without a wildcard and without debian/tmp is a file of the tree.
my %pages;
for my $list (glob "$debian/*.manpages $debian/*.docs") {
	for my $file (split ' ', read_file($list)) {
		ok -f source($file), "$file, which a package wants, exists";
		push @{$pages{$file}}, $list if $file =~ /^man/;
	}
}
for my $page (map { s{.*/man/}{man/}r } glob source('man') . '/*.[1-9]') {
	is scalar(@{$pages{$page} // []}), 1, "one package has $page";
}

# Each sample is installed, or meant not to be: debhelper fails for what is forgotten.
my %places = map { $_ => 1 } map { split ' ', read_file($_) } glob "$debian/*.install $debian/not-installed";
for my $sample (grep { $_ ne 'not-installed' } map { s{.*/}{}r } grep { -f } glob source('conf') . '/*') {
	ok $places{"usr/share/co-hostd/$sample"}, "the packages say what becomes of conf/$sample";
}

# The nginx of containers has the configuration of the sample, but for addresses.
sub plain_nginx {
	my ($file) = @_;
	my $text = read_file(source($file)) =~ s/^\s*#.*\n//mgr;
	$text =~ s/^pid .*//m;
	$text =~ s/^(\s*)server \S+;.*/$1server ADDRESS;/m;
	return $text =~ s/listen \S+;/listen PORT;/r =~ s/\A\s+//r;
}
is plain_nginx('conf/docker/nginx.conf'), plain_nginx('conf/nginx.conf'),
    'nginx in a container has the configuration of conf/nginx.conf';

# What "make install" leaves to people is told to them.
my $told = read_file(source('conf/not-installed'));
like $told, qr/\b\Q$_\E\b/, "make install tells of conf/$_, which it does not put in its place"
    for map { s{.*/}{}r } glob source('conf') . '/{*.service,*.socket,*.init,logrotate,*.yaml}';

my ($needed) = read_file("$debian/control") =~ /^Build-Depends: (.*?)\n\S/ms;
my %needed = map { $_ => 1 } $needed =~ /([a-z0-9.+-]+)(?: \(.*?\))?(?:,|$)/mg;
my ($installed) = read_file(source('scripts/setup')) =~ /^build="(.*?)"/ms;
my @missing = grep { /-dev$/ && $_ ne 'libc6-dev' && !$needed{$_} } split ' ', $installed;
is "@missing", '', 'the packages are built with all libraries that scripts/setup installs';

my @symbols = read_file("$debian/libcoconnect0.symbols") =~ /^ (co_\w+)\@COCONNECT_0 /mg;
my @exported = run(['nm', '-D', program('libcoconnect.so.0')])->{out} =~ / T (co_\w+)\@\@COCONNECT_0$/mg;
is_deeply [sort @symbols], [sort @exported],
    'debian/libcoconnect0.symbols has the functions of the library';

for my $script (glob "$debian/*.postinst $debian/*.postrm") {
	my $name = $script =~ s{.*/}{}r;
	is run(['sh', '-n', $script])->{out}, '', "sh can read $name";
	like read_file($script), qr/^set -e$/m, "$name ends at the first failure";
	like read_file($script), qr/^#DEBHELPER#$/m, "$name has a place for debhelper";
}
done_testing;
