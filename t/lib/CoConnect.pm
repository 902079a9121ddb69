# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
package CoConnect;

# Runs of co-connect against one host: a CoHost, or the URL of another with its address.
#
#   my $co = CoConnect->new($host);
#   my $r = $co->run('hello');                    # {status, out, err}
#   $r = $co->run({ in => "a\nb\n" }, '--lines'); # in, env, timeout, bare (no address) may be given
#   my $t = $co->terminal('-s', $file);           # see t/lib/Terminal.pm
use strict;
use warnings;

use CoHost qw(program read_file write_file);
use File::Temp ();
use Terminal;

sub new {
	my ($class, $host, %o) = @_;
	my $dir = File::Temp->newdir('coconnect-XXXXXX', TMPDIR => 1);
	mkdir "$dir/home";
	return bless {
		dir => $dir,
		agent => ['-d', ref $host ? $host->url : $host, $o{address} // $host->http(GET => '/info')->{json}{address}],
	}, $class;
}

sub dir { return "$_[0]{dir}" }

sub env {
	my ($self, $more) = @_;
	return { HOME => "$self->{dir}/home", XDG_STATE_HOME => undef, RELAY_URL => undef,
		%{ $more || {} } };
}

sub argv {
	my ($self, $o, @args) = @_;
	return [program('co-connect'), '-t', 20, $o->{bare} ? () : @{ $self->{agent} }, @args];
}

sub run {
	my ($self, @args) = @_;
	my $o = ref $args[0] ? shift @args : {};
	my ($in, $err) = map { "$self->{dir}/$_" } qw(in err);
	write_file($in, $o->{in} // '');
	my $r = CoHost::run(['sh', '-c', 'in=$1 err=$2; shift 2; exec "$@" <"$in" 2>"$err"', 'sh', $in,
		$err, @{ $self->argv($o, @args) }], dir => $self->dir, env => $self->env($o->{env}),
		timeout => $o->{timeout} // 30);
	return { %$r, err => read_file($err) };
}

sub terminal {
	my ($self, @args) = @_;
	my $o = ref $args[0] ? shift @args : {};
	return Terminal->start($self->argv($o, @args), %$o, env => $self->env($o->{env}));
}

1;
