# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package ScriptedModel;

# A language model on loopback that follows scripts (t/lib/scripted_model.py), and servers that
# use it.
#
#   my $model = ScriptedModel->start({ hello => [ { text => 'Hi' } ] });
#   my $host = $model->host(workers => 4, yaml => "max_iterations: 5\n");
#   $host->input('say @hello');
#   my @requests = $model->requests;
use strict;
use warnings;

use Lifeline; # before Test::More

use CoHost qw(read_file write_file source);
use File::Temp ();
use JSON::PP ();

my $json = JSON::PP->new->canonical->utf8;

sub start {
	my ($class, $scripts) = @_;
	my $dir = File::Temp->newdir('model-XXXXXX', TMPDIR => 1);
	my $self = bless { dir => $dir, tester => $$ }, $class;
	CoHost::lacks('no python3') if system('python3 -c "" 2>/dev/null');
	write_file("$dir/scripts", $json->encode($scripts));
	write_file("$dir/log", '');
	$self->{pid} = open $self->{out}, '-|', 'python3', source('t/lib/scripted_model.py'),
	    "$dir/scripts", "$dir/log" or die "python3: $!";
	my $out = $self->{out};
	($self->{port}) = (<$out> // '') =~ /(\d+)/ or die "the model did not start\n";
	return $self;
}

sub port { return $_[0]{port} }
sub url { return "http://127.0.0.1:$_[0]{port}/v1" }

# A server whose agent has this model. yaml is added to its host.yaml.
sub host {
	my ($self, %o) = @_;
	my $yaml = "agent: llm\nmodel: scripted\nbase_url: " . $self->url . "\n";
	return CoHost->start(%o, yaml => $yaml . ($o{yaml} // ''));
}

# All requests so far, decoded.
sub requests {
	my ($self) = @_;
	return map { $json->decode($_) } split /\n/, read_file("$self->{dir}/log");
}

sub DESTROY {
	my ($self) = @_;
	return if $$ != $self->{tester};
	local ($?, $!, $@);
	kill KILL => $self->{pid};
	close $self->{out};
}

1;
