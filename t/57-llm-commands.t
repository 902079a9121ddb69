#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# An llm agent works on a project: with each built-in tool, with commands of host.yaml, and with
# programs that do not want to end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file run program wait_for write_file);
use File::Temp ();
use ScriptedModel;
use Test::More;

my $MARK = '16180.33';
my @tools = qw(bash read_file write edit glob grep todo);

sub marked { return grep { read_file($_) =~ /^sleep\x00\Q$MARK\E/ } glob '/proc/[0-9]*/cmdline' }
sub bash { return { name => 'bash', args => { command => $_[0], @_[1 .. $#_] } } }

# Each script calls one tool and then says what it is done with.
my %calls = (
	write => { name => 'write', args => { path => 'src/new.py', content => "def main():\n    pass\n" } },
	read => { name => 'read_file', args => { path => 'src/new.py' } },
	edit => { name => 'edit', args => { file_path => 'src/new.py', old_string => 'pass', new_string => 'return 1' } },
	grep => { name => 'grep', args => { pattern => 'return \d', output_mode => 'content' } },
	glob => { name => 'glob', args => { pattern => '**/*.py' } },
	plan => { name => 'todo', args => { todos => [ { content => 'Test it', status => 'in_progress' },
		{ content => 'Ship it', status => 'pending', priority => 'low' } ] } },
	shell => bash('sh show.sh', description => 'Show it'),
	greet => { name => 'greet', args => { who => "the 'world'; \$(id)" } },
	fails => { name => 'fails', args => {} },
	bare => { name => 'greet', args => {} },
	outside => { name => 'write', args => { path => 'link/evil', content => 'x' } },
	peek => { name => 'read_file', args => { path => '/etc/passwd' } },
	keys => { name => 'grep', args => { pattern => 'SECRET', path => '.env' } },
	env => bash('env'),
	gigabyte => bash("head -c 1G /dev/zero; sleep $MARK"),
	endless => bash("sleep $MARK", timeout => 1),
	complaints => bash('sh complaints.sh'),
	stubborn => bash('sh stubborn.sh'),
	daemon => bash('sh daemon.sh'),
	bytes => bash("printf 'a\\377b'"),
);
my $model = ScriptedModel->start({ map { $_ => [ { calls => [ $calls{$_} ] }, { text => "$_ is done." } ] } keys %calls });

my $yaml = <<'END';
permissions:
  bash: {allowed: true}
  read_file: {allowed: true}
  write: {allowed: true}
  edit: {allowed: true}
  grep: {allowed: true}
  greet: {allowed: true}
  fails: {allowed: true}
tools:
  - bash
  - read_file
  - write
  - edit
  - glob
  - grep
  - todo
  - name: greet
    description: Greet somebody
    argv: [printf, "Hello, %s.", "{who}"]
    schema:
      type: object
      properties:
        who: {type: string}
      required: [who]
    read_only: true
  - name: fails
    description: Fail
    argv: [sh, -c, "read line; echo \"$line\"; exit 5"]
END

my $elsewhere = File::Temp->newdir('elsewhere-XXXXXX', TMPDIR => 1);
my $host = $model->host(workers => 4, yaml => $yaml, env => { OPENAI_API_KEY => 'sk-SECRET' });
write_file($host->dir . '/.env', "MY_KEY=SECRET\n");
# What has redirections or runs in the background is never allowed without asking, so that these
# are in files.
write_file($host->dir . '/show.sh', "cat src/new.py; echo oops >&2; exit 3\n");
write_file($host->dir . '/complaints.sh', "yes | head -c 500M >&2 & yes | head -c 500M; wait; sleep $MARK\n");
write_file($host->dir . '/stubborn.sh', "trap '' TERM INT HUP; for i in \$(seq 50); do sleep $MARK & done; wait\n");
write_file($host->dir . '/daemon.sh', "setsid sh -c 'sleep $MARK & sleep $MARK' >/dev/null 2>&1 & echo gone\n");
symlink "$elsewhere", $host->dir . '/link' or die;

# The tool_result of a turn that plays one script, and the turn's events.
sub play {
	my ($name, $ws) = @_;
	$ws //= $host->ws;
	my @all = $ws->turn("play \@$name");
	is $all[-1]{result}, "$name is done.", "the turn goes on after the tool ($name)";
	my ($result) = grep { $_->{type} eq 'tool_result' } @all;
	return ($result, @all);
}

sub shows {
	my ($name, $status, $text, $title) = @_;
	my ($result) = play($name);
	is $result->{status}, $status, "tool_result has the status $status ($name)";
	return ref $text ? like $result->{result}, $text, $title : is $result->{result}, $text, $title;
}

# ---- each tool ----

my ($info) = $host->http(GET => '/info')->{json};
is_deeply $info->{tools}, [ @tools, qw(greet fails) ], '/info names built-in tools and commands';

shows('write', 'success', qr{^Successfully wrote 21 bytes to '.*/src/new\.py' \(verified on disk, mtime },
	'write makes a file and its folder');
shows('read', 'success', "     1\tdef main():\n     2\t    pass", 'read_file shows lines with numbers');
shows('edit', 'success', "Successfully edited 'src/new.py'", 'edit changes a file');
is read_file($host->dir . '/src/new.py'), "def main():\n    return 1\n", 'the edit is in the file';
shows('grep', 'success', "src/new.py:\n  2:     return 1", 'grep shows the lines that match');
shows('glob', 'success', 'src/new.py', 'glob finds the file');
shows('shell', 'success', "def main():\n    return 1\nSTDERR:\noops\n\nExit code: 3",
	'bash has the output and the status of its command');
my ($result, @all) = play('plan');
is $result->{result}, 'Updated 2 todos', 'todo takes the plan';
is_deeply [ map { $_->{entries} } grep { $_->{type} eq 'plan' } @all ],
    [ [ { content => 'Test it', priority => 'medium', status => 'in_progress' },
	    { content => 'Ship it', priority => 'low', status => 'pending' } ] ], 'clients get the plan';

# ---- commands of host.yaml ----

shows('greet', 'success', "Hello, the 'world'; \$(id).", 'a command gets an argument as one word, without a shell');
shows('fails', 'error', "{}\n\nExit code: 5", 'a command that fails is an error with its output');
shows('bare', 'error', "Error: argument 'who' is missing", 'a command does not run without what it requires');

# ---- what a model must not reach ----

shows('outside', 'error', qr/leads out of the project/, 'a link does not lead out of the project');
is_deeply [ glob "$elsewhere/*" ], [], 'the folder outside the project stays empty';
shows('peek', 'error', qr/leads out of the project/, 'a file outside the project is not read');
shows('keys', 'error', qr/settings or secrets/, 'the secrets of the project are not searched');
shows('env', 'success', qr/^(?!.*SECRET).*PATH=/s, 'no key is in the environment of a command');

# ---- programs that do not want to end ----

shows('bytes', 'success', "a\x{fffd}b", 'output that is not UTF-8 becomes UTF-8');
my @workers = sort $host->workers;
shows('complaints', 'error', qr/wrote more than 64 MiB/, 'a command that fills both outputs is ended');
is_deeply [ sort $host->workers ], \@workers, 'a command that fills both outputs does no harm to its worker';
shows('gigabyte', 'error', qr/wrote more than 64 MiB/, 'a command that prints a gigabyte is ended');
shows('endless', 'error', qr/ended after its time limit of 1 seconds/, 'a command that never ends is ended');
shows('daemon', 'success', 'gone', 'a command does not wait for its daemon');
ok wait_for(10, sub { !marked() }), 'no process of these commands is left';

my $ws = $host->ws;
$ws->send_json({ type => 'INPUT', prompt => 'play @stubborn', input_id => 'i1' });
ok wait_for(10, sub { marked() == 50 }), 'a command has fifty children that ignore signals';
$ws->send_json({ type => 'INTERRUPT' });
my $end = $ws->next(type => 'OUTPUT');
is $end->{result}, 'What would you like me to do?', 'the turn is interrupted';
ok wait_for(10, sub { !marked() }), 'an interrupt ends all processes of a command';
ok wait_for(10, sub { $host->metric('cohostd_tool_commands') == 0 }), 'no command is counted as running';
$host->stop;

# ---- what the settings get wrong ----

for my $case (
	[ "tools: bash\n", qr/line 4: tools must be a list/, 'tools that are no list' ],
	[ "tools: [bsh]\n", qr/line 4: tools: "bsh" is no built-in tool/, 'a tool that there is not' ],
	[ "tools:\n  - {name: a b, description: x, argv: [ls]}\n", qr/line 4: tools: tool 1: name must be/, 'a tool without a good name' ],
	[ "tools:\n  - {name: x, description: x, argv: [ls, '{dir}']}\n", qr/line 4: tools: x: argv has \{dir\}, but schema/, 'a placeholder without a property' ],
	[ "tools:\n  - {name: x, description: x, argv: [ls], schema: {type: objekt}}\n", qr/line 4: tools: x: schema: /, 'a schema with a wrong type' ],
) {
	my ($text, $why, $what) = @$case;
	my $bad = CoHost::directory(yaml => "agent: llm\nmodel: scripted\nbase_url: " . $model->url . "\n$text");
	my $r = run([ program('co-hostd'), '-t', '-d', "$bad" ]);
	is $r->{status}, 78, "the start is refused with $what";
	like $r->{out}, $why, "the file, the line and the fault are named for $what";
}
done_testing;
