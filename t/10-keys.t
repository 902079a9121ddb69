#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The keys of an agent: which are taken, how they are kept, who else understands them.
use strict;
use utf8;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file run wait_for write_file);
use Test::More;

my $phrase = ('abandon ' x 11) . 'about';
my $address = '0x54ff7e165926bca30e8b1535f22c053a0e0e2ca6d5a445a149bde23d90c6ee1e';

sub mode {
	my ($path) = @_;
	return sprintf '%04o', (stat $path)[2] & 07777;
}

# Start in $dir, stop again: the address it served under.
sub serve {
	my ($dir, %o) = @_;
	my $host = CoHost->start(dir => "$dir", workers => 1, bind => '127.0.0.1', %o);
	my $info = $host->http(GET => '/info')->{json};
	wait_for(10, sub { $host->words =~ /Waiting for tasks/ });
	push @{ $o{said} }, $host->words, $info->{address};
	$host->stop;
	return $info->{address};
}

subtest 'a new project' => sub {
	my $dir = CoHost::directory();
	my $keys = "$dir/.co/keys";
	my $mine = serve($dir, said => \my @said);
	is mode($keys), '0700', 'a new project has a private folder of keys';
	is mode("$keys/agent.key"), '0600', 'the new key is private';
	is mode("$keys/recovery.txt"), '0600', 'the new recovery phrase is private';
	is mode("$keys/DO_NOT_SHARE"), '0600', 'the warning beside the keys is private';
	is length read_file("$keys/agent.key"), 32, 'a new key is 32 bytes';
	like read_file("$keys/recovery.txt"), qr/^[a-z]+(?: [a-z]+){11}$/,
	    'a new recovery phrase is twelve words';
	is_deeply [sort map { s{.*/}{}r } glob "$keys/*"],
	    [qw(DO_NOT_SHARE agent.key recovery.txt)], 'the folder of keys holds nothing else';
	is serve($dir, said => \@said), $mine, 'the address of a project stays over a restart';
	my $words = read_file("$keys/recovery.txt");
	my $key = unpack 'H*', read_file("$keys/agent.key");
	my $said = join '', @said, map { read_file($_) } glob "$dir/.co/logs/*";
	unlike $said, qr/\Q$words\E|\Q$key\E/i,
	    'neither phrase nor key is ever printed or logged';
};

subtest 'a known phrase' => sub {
	my $dir = CoHost::directory();
	mkdir "$dir/.co/keys", 0700;
	write_file("$dir/.co/keys/recovery.txt", "$phrase\n");
	is serve($dir), $address, 'a known phrase leads to the known address';
	is unpack('H*', read_file("$dir/.co/keys/agent.key")),
	    '451758ecc454c400bb9e394b128b1b2103400e445e589b84027f67d2f9873224',
	    'a known phrase leads to the known key';
	is read_file("$dir/.co/keys/recovery.txt"), "$phrase\n",
	    'serving leaves the recovery phrase as it was';
};

subtest 'the key of the user' => sub {
	my $dir = CoHost::directory();
	mkdir "$dir/home/.co";
	mkdir "$dir/home/.co/keys";
	write_file("$dir/home/.co/keys/agent.key", pack 'H*',
		'9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
	my $users = '0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
	is serve($dir, said => \my @said), $users,
	    'the key of the user serves a project that has none';
	ok !-e "$dir/.co/keys/agent.key", 'the key of the user is not copied into the project';
	like "@said", qr/agent\.key: mode 0644/,
	    'the log warns that the key of the user is not private';
	unlike "@said", qr/already served/,
	    'the first project to use a key is not told that it is already served';

	my $other = CoHost::directory();
	serve($other, env => { HOME => "$dir/home" }, said => \@said);
	my $short = substr $users, 0, 10;
	like $said[-2], qr/^\[host\] \Q$short\E… is already served by 'demo' in \Q$dir\E, /m,
	    'a second project with the same key is warned of the first';
	like $said[-2], qr{using the same key from \Q$dir\E/home/\.co\. Two agents on one address}m,
	    "the warning about a shared key names the key's folder";
	like read_file("$dir/home/.co/served_by.json"), qr{"project": "\Q$other\E"},
	    'the note beside a shared key names the last project that used it';
};

subtest 'keys that cannot be used' => sub {
	for my $size (0, 31, 33, 64) {
		my $dir = CoHost::directory();
		mkdir "$dir/.co/keys", 0700;
		my $path = "$dir/.co/keys/agent.key";
		write_file($path, 'x' x $size);
		my $host = CoHost->start(dir => "$dir", fails => 1);
		isnt $host->wait_exit, 0, "a key of $size bytes stops the start";
		like $host->words, qr{\.co/keys/agent\.key.*32 bytes},
		    'the refusal of a short or long key names its file';
		unlike $host->words, qr/Waiting for tasks|\[host\]/,
		    'a key of the wrong size stops the start before any banner';
		is read_file($path), 'x' x $size, 'a key of the wrong size is left as it was';
	}
};

# The project is the nearest folder with .co, but not beyond a repository.
subtest 'the project' => sub {
	my $dir = CoHost::directory();
	mkdir "$dir/$_" for qw(a a/b a/c a/c/.git a/c/d);
	for my $case (['.', '.'], ['a/b', '.'], ['a/c', 'a/c'], ['a/c/d', 'a/c/d'],
	    ['home', 'home']) {
		my ($from, $to) = @$case;
		my $r = run([CoHost::program('co-hostd'), '-t', '-o', 'blacklist=nobody'],
			dir => "$dir/$from", env => { HOME => "$dir/home" });
		my $is = $to eq '.' ? "$dir" : "$dir/$to";
		like $r->{out}, qr{\Q$is\E/nobody}, "started in $from, the project is $to";
	}
};

# ---- the Python package understands our folders, and we its ----

my ($python) = grep { defined && -x } $ENV{CO_TEST_PYTHON},
    ($ENV{TOP_BUILDDIR} // 'build') . '/venv/bin/python';
SKIP: {
	skip 'there is no Python with connectonion (CO_TEST_PYTHON)', 1
	    if !$python || run([$python, '-c', 'import connectonion.address'],
		timeout => 60)->{status} != 0;
	subtest 'the Python package' => sub {
		my $ours = CoHost::directory();
		my $mine = serve($ours);
		my $ask = sub {
			my ($code, $dir) = @_;
			my $r = run([$python, '-c', "import sys\nfrom pathlib import Path\n"
				. "from connectonion import address\n"
				. "co = Path(sys.argv[1])\n$code", "$dir/.co"],
				timeout => 60, env => { HOME => "$dir/home" });
			diag $r->{out} if $r->{status};
			return $r->{out};
		};
		is $ask->("a = address.load(co)\n"
			. "print(a['address'], a['legacy_derivation'])", $ours),
		    "$mine False\n",
		    'the Python package reads our key and finds that the phrase leads to it';
		is $ask->("words = (co / 'keys/recovery.txt').read_text().strip()\n"
			. "print(address.recover(words)['address'])", $ours),
		    "$mine\n", 'the Python package recovers our address from our phrase';

		my $theirs = CoHost::directory();
		my $made = $ask->("a = address.generate()\naddress.save(a, co)\n"
			. "print(a['address'])", $theirs);
		chomp $made;
		is serve($theirs), $made,
		    'a folder made by the Python package serves under its address';
		unlink "$theirs/.co/keys/agent.key";
		is serve($theirs), $made,
		    'a phrase made by the Python package leads to its address';
		is $ask->("print(address.load(co)['address'])", $theirs), "$made\n",
		    'the Python package accepts the key that we derived from its phrase';
	};
}
done_testing;
