#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Administration over HTTP: tokens and signatures, who is known, who is admin.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(read_file write_file);
use Sign qw(:all);
use Test::More;

my $dir = CoHost::directory(yaml => "name: clerk\ntrust: open\n");
mkdir "$dir/.co/evals";
write_file("$dir/.co/evals/a.yaml", "name: old\nupdated: '2026-01-01'\n");
write_file("$dir/.co/evals/b.yaml", "name: new\nupdated: '2026-02-01'\n");
write_file("$dir/.co/evals/c.yaml", "name: [broken\n");
my $host = CoHost->start(dir => $dir, workers => 4, env => {
	CONNECTONION_ADMIN_TOKEN => 'token', OPENONION_API_KEY => 'billing',
});
my $own = key_of($host);
my ($admin, $other) = (key_new(), key_new());

sub body_is {
	my ($r, $status, $body, $name) = @_;
	is $r->{status}, $status, $name or diag $r->{body};
	is_deeply $r->{json}, $body, "$name: in so many words" if $body;
}

# A signature is good once, and two of one second are the same.
my $n = 0;
my $first = now();

# A change that this key signs.
sub change {
	my ($key, $path, %payload) = @_;
	return $host->http(POST => $path, {}, signed_body($key,
		{ method => 'POST', path => $path, n => $n++, %payload }));
}

sub level_of {
	my ($id) = @_;
	my $path = "/admin/trust/level/$id";
	my $headers = signed_get_headers($admin, $path, timestamp => $first - $n++);
	return $host->http(GET => $path, $headers)->{json}{level};
}

# What is in the trust lists, as this key is told.
sub listed {
	my ($key, $query) = @_;
	my $headers = signed_get_headers($key, '/admin/trust', timestamp => $first - $n++);
	return $host->http(GET => "/admin/trust$query", $headers);
}

# ---- files ----

my $log = "$dir/.co/logs/clerk.log";
unlink $log, "$dir/.co/logs/demo.log";
my @logs = (GET => '/admin/logs');
body_is($host->http(@logs, { authorization => 'Bearer token' }), 404,
	{ error => 'No logs found' }, 'a missing log is 404');
write_file($_, "what \xff it did\n") for $log, "$dir/.co/logs/demo.log";
is $host->http(@logs, { authorization => 'Bearer billing' })->{status}, 401,
    'OPENONION_API_KEY opens no log where CONNECTONION_ADMIN_TOKEN is set';
my $text = $host->http(@logs, { authorization => 'Bearer token' });
is $text->{status}, 200, 'the owner of the admin token reads the log';
is $text->{header}{'content-type'}, 'text/plain; charset=utf-8', 'the log is sent as text';
is $text->{body}, "what \xef\xbf\xbd it did\n", 'the log is sent in UTF-8';
body_is($host->http(@logs, { authorization => 'Bearer ' }), 401,
	{ error => 'unauthorized: signed request required' }, 'an empty token opens no log');
body_is($host->http(@logs), 401, { error => 'unauthorized: signed request required' },
	'a request without credentials opens no log');
is $host->http(@logs, legacy_get_headers($own))->{status}, 200,
    'older clients sign the time alone';

my $r = $host->http(GET => '/admin/sessions', { authorization => 'Bearer token' });
is_deeply [map { $_->{name} } @{ $r->{json}{sessions} }], ['new', 'old'],
    'evals come newest first, without the broken one';

# ---- who is admin ----

body_is(change($own, '/superadmin/add', admin_id => $admin->{address}), 200,
	{ success => JSON::PP::true, message => "$admin->{address} added as admin." },
	'our own key makes admins');
body_is(change($own, '/superadmin/add', admin_id => $admin->{address}), 200,
	{ success => JSON::PP::true, message => "$admin->{address} is already an admin." },
	'an admin who is added twice is named as one already');
body_is(change($admin, '/superadmin/add', admin_id => $other->{address}), 403,
	{ error => 'forbidden: super admin only' }, 'an admin cannot make admins');
body_is(change($other, '/admin/trust/promote', client_id => $other->{address}), 403,
	{ error => 'forbidden: admin only' }, 'a stranger is no admin');

my $once = signed_get_headers($admin, '/admin/logs');
is $host->http(@logs, $once)->{status}, 200, 'a signed admin reads the log';
body_is($host->http(@logs, $once), 401,
	{ error => 'unauthorized: signature already used' },
	'the signature of a request for the log counts once')
    for 1 .. 4;

# ---- who is known ----

my $id = $other->{address};
sub promoted {
	my ($level) = @_;
	return { success => JSON::PP::true, message => "$id promoted to $level.",
		level => $level };
}
my @promote = ($admin, '/admin/trust/promote', client_id => $id);
is level_of($id), 'stranger', 'an unknown client is a stranger';
body_is(change(@promote), 200, promoted('contact'), 'a stranger is promoted to contact');
is level_of($id), 'contact', 'every worker knows the new contact' for 1 .. 8;
body_is(change(@promote), 200, promoted('whitelist'), 'a contact is promoted to the whitelist');
body_is(change(@promote), 200,
	{ error => 'Already at highest level', level => 'whitelist' },
	'a client on the whitelist cannot be promoted');
body_is(change($admin, '/admin/trust/demote', client_id => $id), 200,
	{ success => JSON::PP::true, message => "$id demoted to contact.",
		level => 'contact' }, 'a client on the whitelist is demoted to contact');
body_is(change($admin, '/admin/trust/demote', client_id => $id), 200,
	{ success => JSON::PP::true, message => "$id demoted to stranger.",
		level => 'stranger' }, 'a contact is demoted to stranger');
body_is(change($admin, '/admin/trust/demote', client_id => $id), 200,
	{ error => 'Already at lowest level', level => 'stranger' },
	'a stranger cannot be demoted');
body_is(change($admin, '/admin/trust/block', client_id => $id, reason => 'spam'), 200,
	{ success => JSON::PP::true, message => "$id blocked. Reason: spam",
		level => 'blocked' }, 'a client is blocked with a reason');
body_is(change(@promote), 200,
	{ error => 'Client is blocked. Unblock first.', level => 'blocked' },
	'a blocked client cannot be promoted');
body_is(change($admin, '/admin/trust/unblock', client_id => $id), 200,
	{ success => JSON::PP::true, message => "$id unblocked.", level => 'stranger' },
	'a blocked client is unblocked');

# ---- what is refused ----

my $promote = signed_body($admin, { method => 'POST', path => '/admin/trust/promote',
	client_id => $id });
body_is($host->http(POST => '/admin/trust/block', {}, $promote), 401,
	{ error => 'unauthorized: route-bound method and path required' },
	'what was signed to promote does not block');
body_is(change($admin, '/admin/trust/promote'), 400, { error => 'client_id required' },
	'a change without client_id is refused');
my @lists = map { read_file("$dir/.co/$_.txt") } qw(contacts whitelist blocklist admins);
for my $bad ("a\nb", '*', '0x*', '#a', "a\0b", ' a') {
	body_is(change($admin, '/admin/trust/promote', client_id => $bad), 400,
		{ error => 'client_id invalid' }, 'a client_id that cannot be a name is refused');
}
is_deeply [map { read_file("$dir/.co/$_.txt") } qw(contacts whitelist blocklist admins)],
    \@lists, 'refused changes leave all lists as they were';
is $host->http(GET => $_)->{status}, 401, "$_ is not told to strangers"
    for qw(/admin/trust/x /superadmin/x /superadmin/);
body_is(change($admin, '/admin/trust/x'), 404, { error => 'not found' },
    'an unknown path of administration is 404 for admins');
is $host->http(GET => '/admin/x')->{status}, 404, '/admin/x is told to all';

body_is(change($own, '/superadmin/remove', admin_id => $admin->{address}), 200,
	{ success => JSON::PP::true,
		message => "$admin->{address} removed from admins." },
		    'the own key removes an admin');
body_is(change(@promote), 403, { error => 'forbidden: admin only' },
	'a removed admin may not change anything');
# ---- what is in the lists ----

is $host->http(GET => '/admin/trust')->{status}, 401, 'the lists are shown to nobody who does not sign';
is $host->http(GET => '/admin/trust', { authorization => 'Bearer token' })->{status}, 401,
    'a bearer token opens no lists';
is listed($other, '')->{status}, 403, 'the lists are shown to admins only';
write_file("$dir/.co/whitelist.txt", "Ann Lee\nbob\n");
is_deeply listed($own, '')->{json}{whitelist}, { total => 2, entries => ['Ann Lee', 'bob'] },
    'admins see who is in a list';
is_deeply listed($own, '?q=ann+l')->{json}{whitelist}, { total => 1, entries => ['Ann Lee'] },
    'admins search in the lists';

$host->stop;
done_testing;
