#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# What is asked and answered is kept in .co/evals, in the form of the Python package.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(wait_for read_file write_file run);
use Test::More;

my $host = CoHost->start(workers => 2);
my $evals = $host->dir . '/.co/evals';

sub becomes {
	my ($name, $re) = @_;
	return wait_for(10, sub { read_file("$evals/$name") =~ $re });
}

my $first = $host->input('echo Hello, World!')->{json};
ok becomes('echo_hello_world.yaml', qr/^runs: 1$/m), 'an eval is named after its first prompt';
like read_file("$evals/echo_hello_world.yaml"),
    qr/^- input: "echo Hello, World!"\n  run: 1\n  output: "Hello, World!"\n/m,
    'an eval has the prompt and the answer';
$host->input('echo more', session => $first->{session});
ok becomes('echo_hello_world.yaml', qr/^- input: "echo more"$/m),
    'an eval has the next turn of its conversation';
$host->input('echo Hello, World!');
ok becomes('echo_hello_world.yaml', qr/^runs: 2$/m),
    'the same first prompt again is a second run';
like read_file("$evals/echo_hello_world/run_1.yaml"),
    qr/^messages: \|\n  \[\n(?:    \{.*\},\n)+    \{.*\}\n  \]\n\z/m,
    'the runs of an eval have their messages';
$host->input("echo \x{1f600}: 'a' \"b\" # c\n- d \\ \x7f\x{85}\x{2028}");
ok wait_for(10, sub { grep { /run_1/ } glob "$evals/echo_a_b_c_d*/*" }), 'odd text is kept';

SKIP: {
	my $load = <<'PY';
import glob, json, sys, yaml
for path in glob.glob(sys.argv[1] + '/**/*.yaml', recursive=True):
    data = yaml.safe_load(open(path, encoding='utf-8'))
    if 'messages' in data:
        assert json.loads(data['messages'])[0]['role'] == 'user'
    else:
        assert json.loads(data['turns'][0]['meta'])['duration_ms'] >= 0
        assert data['turns'][0]['output']
print('good')
PY
	skip 'no PyYAML here', 1 if run(['python3', '-c', 'import yaml'])->{status} != 0;
	is run(['python3', '-c', $load, $evals])->{out}, "good\n", 'Python can read all evals';
}
is_deeply [glob "$evals/*.tmp $evals/*/*.tmp"], [], 'no temporary file is left beside the evals';
$host->stop;

$host = CoHost->start(workers => 1, args => ['-o', 'evals=false']);
$host->input('echo x');
$host->stop;
ok !-e $host->dir . '/.co/evals', 'evals can be turned off';
done_testing;
