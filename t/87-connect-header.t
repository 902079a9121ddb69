#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Programs of others: the header in C and C++, the two forms of the library, and the
# examples of co_connect(3).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(lacks_here program read_file run source write_file);
use CoRelay;
use File::Temp ();
use Sign qw(key_of);
use Test::More;

my $dir = File::Temp->newdir('header-XXXXXX', TMPDIR => 1);
my $build = program('co-hostd') =~ s{/co-hostd$}{}r;
my @include = ('-I', source('include'));
my @strict = qw(-Wall -Wextra -Wpedantic -Werror);

sub compiles {
	my ($title, @argv) = @_;
	my $r = run([@argv], timeout => 60);
	return is $r->{status}, 0, $title || diag $r->{out};
}

# The examples of the manual, as C.
my @examples = read_file(source('man/co_connect.3')) =~ /^\.Bd -literal\n(.*?)^\.Ed/msg;
s/\\en/\\n/g, s/\\-/-/g for @examples;
is scalar(@examples), 3, 'co_connect(3) has its examples';
write_file("$dir/ask.c", $examples[0]);
write_file("$dir/more.c", <<"END");
#include <co_connect.h>
#include <poll.h>

int more(struct co_client *agent);
int more(struct co_client *agent)
{
	struct co_prompt prompt;
	struct co_result result;

	co_prompt_init(&prompt, "hello");
	{
$examples[1]
	if (code != CO_OK)
		return 1;
	}
	{
$examples[2]
	}
	return result.code != CO_OK;
}
END

compiles('the first example of the manual is C11', qw(gcc -std=c11), @strict, @include,
	'-c', "$dir/ask.c", '-o', "$dir/ask.o");
compiles('the other examples of the manual are C11',
	qw(gcc -std=c11 -D_POSIX_C_SOURCE=200809L), @strict, @include, '-c', "$dir/more.c",
	'-o', "$dir/more.o");

SKIP: {
	lacks_here 'there is no C++ compiler', 1 if system 'command -v g++ >/dev/null';
	write_file("$dir/use.cc", <<'END');
#include <co_connect.h>

int use(const char *address)
{
	co_options options;
	co_prompt prompt;
	co_result result;

	co_options_init(&options);
	options.retries = 3;
	co_client *agent = co_connect(address, &options, nullptr);
	co_prompt_init(&prompt, "hello");
	co_code code = co_input(agent, &prompt, CO_NO_TIMEOUT, &result);
	co_free(&agent);
	return code == CO_OK ? 0 : 1;
}
END
	compiles('the header is C++', qw(g++ -std=c++11), @strict, @include, '-c', "$dir/use.cc",
		'-o', "$dir/use.o");
}

my @libraries = split ' ', `pkg-config --libs libsodium libssl libcrypto libcurl 2>/dev/null`;
compiles('a program links the shared library', 'gcc', "$dir/ask.o", '-o', "$dir/shared",
	"-L$build", '-lcoconnect', "-Wl,-rpath,$build");
compiles('a program links the static library', 'gcc', "$dir/ask.o", '-o', "$dir/static",
	"$build/libcoconnect.a", '-lwslay', @libraries, qw(-lpthread -lm));

# What the library shows to others, and what it needs of them.
my %declared = map { $_ => 1 } read_file(source('include/co_connect.h')) =~
    /^(?:CO_API\b[^;(]*?|[^;(]*?\b)(co_\w+)\(/mg;
my @exported = grep { !/^COCONNECT/ } map { /([\w]+)(?:@|$)/ ? $1 : () }
    map { (split)[2] } split /\n/, `nm -D --defined-only $build/libcoconnect.so`;
ok scalar(@exported), 'the shared library exports calls';
is_deeply [grep { !$declared{$_} } @exported], [], 'only names of the header are exported';
my @global = map { (split)[2] } grep { !/^\S*:?$/ } split /\n/,
    `nm -g --defined-only $build/libcoconnect.a`;
is_deeply [sort grep { !/^$/ } @global], [sort @exported], 'the static library shows the same names';
my $needed = join ' ', `readelf -d $build/libcoconnect.so` =~ /\(NEEDED\).*\[(lib\w+)/g;
unlike $needed, qr/h2o|lmdb|yaml|sqlite/, "the library needs nothing of a server ($needed)";

# The example of the manual finds its agent.
my $relay = CoRelay->start(workers => 1);
my $host = CoHost->start(workers => 1, relay => $relay->ws_url, args => ['-o', 'trust=open']);
$relay->wait_agents(1);
for my $form (qw(shared static)) {
	my @argv = ("$dir/$form", key_of($host)->{address}, 'echo hi');
	my %env = (HOME => "$dir");
	my $r = run([@argv], dir => "$dir", env => { %env, RELAY_URL => $relay->url });
	is_deeply $r, { status => 0, out => "hi\n" }, "$form: the example talks to an agent";
	$r = run([@argv], dir => "$dir", env => { %env, RELAY_URL => 'http://127.0.0.1:1' });
	is $r->{status}, 1, "$form: the example fails where the relay is away";
	like $r->{out}, qr/^unreachable: /, "$form: the example names the error";
}

# Clients share nothing: each thread has its own.
write_file("$dir/threads.c", <<'END');
#include <co_connect.h>
#include <pthread.h>
#include <stdio.h>

static const char *address;

static void *run(void *arg)
{
	struct co_client *agent = co_connect(address, NULL, NULL);
	struct co_prompt prompt;
	struct co_result result;
	long good = 0;

	(void)arg;
	for (int i = 0; agent && i < 20; i++) {
		char text[32];
		snprintf(text, sizeof text, "echo %d", i);
		co_prompt_init(&prompt, text);
		if (co_input(agent, &prompt, 20000, &result) == CO_OK)
			good += !strcmp(result.text, text + 5);
	}
	co_free(&agent);
	return (void *)good;
}

int main(int argc, char **argv)
{
	pthread_t threads[8];
	long good = 0;

	address = argc > 1 ? argv[1] : "";
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, run, NULL);
	for (int i = 0; i < 8; i++) {
		void *n;
		pthread_join(threads[i], &n);
		good += (long)n;
	}
	printf("%ld\n", good);
	return 0;
}
END
compiles('a program with threads links the library', qw(gcc -std=c11), @strict, @include,
	"$dir/threads.c", '-o', "$dir/threads", "-L$build", '-lcoconnect',
	"-Wl,-rpath,$build", '-lpthread');
is run(["$dir/threads", key_of($host)->{address}], dir => "$dir",
	env => { HOME => "$dir", RELAY_URL => $relay->url }, timeout => 60)->{out}, "160\n",
    'eight threads talk at once, each by a client of its own';
$host->stop;
$relay->stop;
done_testing;
