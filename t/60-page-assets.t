#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The files of the page: who gets the page at /, conditional requests, encodings, policies, and
# a server without it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost qw(program write_file);
use IO::Uncompress::Gunzip qw(gunzip);
use JSON::PP ();
use Test::More;

my $HTML = 'text/html,application/xhtml+xml,*/*;q=0.8';
my $host = CoHost->start(workers => 4);

sub get { my ($path, %header) = @_; return $host->http(GET => $path, \%header) }

sub unbrotli {
	my ($bytes) = @_;
	my $dir = CoHost::directory();
	write_file("$dir/in", $bytes);
	return scalar qx(node -e 'const z = require("zlib"), f = require("fs");
		process.stdout.write(z.brotliDecompressSync(f.readFileSync("$dir/in")))');
}

sub gunzipped {
	my ($bytes) = @_;
	gunzip(\$bytes => \my $out) or return 'no gzip';
	return $out;
}

# ---- where it is ----

my $page = get('/', accept => $HTML);
is $page->{status}, 200, 'a browser gets the page at /';
is $page->{header}{'content-type'}, 'text/html; charset=utf-8', 'the page is HTML';
like $page->{header}{vary}, qr/accept/, 'the reply at / varies with Accept';
is get('/')->{status}, 302, 'a client that does not ask for HTML gets a redirect at /';
is get('/', accept => '*/*')->{header}{location}, 'docs', 'the redirect leads to /docs';
is get($_)->{body}, $page->{body}, "the page is served at $_" for qw(/dashboard /agents);
unlike $page->{body}, qr/\{\{|style=|<script>|https?:/,
    'the page has no inline style or script, and nothing from elsewhere';

my @assets = $page->{body} =~ /(?:src|href)="([^"]+)"/g;
ok((grep { /\.js$/ } @assets) && (grep { /\.css$/ } @assets), 'the page names script and style');
is_deeply [grep { m{^/} } @assets], [], 'the page names its files relative to itself';

# ---- each file, on every worker ----

my %type = (js => 'text/javascript; charset=utf-8', css => 'text/css; charset=utf-8',
    svg => 'image/svg+xml', webmanifest => 'application/manifest+json',
    txt => 'text/plain; charset=utf-8');
for my $name (@assets, 'licenses.txt') {
	my $path = "/$name";
	my ($ext) = $path =~ /\.(\w+)$/;
	my $plain = get($path);
	my %h = %{ $plain->{header} };
	is $plain->{status}, 200, "GET $path is answered";
	is $h{'content-type'}, $type{$ext}, "$path has its media type";
	is $h{'content-encoding'}, undef, "$path is plain for a client that takes no encoding";
	is $h{'content-length'}, length $plain->{body}, "$path has its length";
	like $h{etag}, qr/^"[\w-]{16}"$/, "$path has a strong tag";
	is $h{vary}, 'accept-encoding', "$path varies with Accept-Encoding";
	is $h{'cache-control'},
	    $path =~ m{^/assets/} ? 'public, max-age=31536000, immutable' : 'no-cache',
	    "$path says how long it is good";
	my %forms = ('gzip' => \&gunzipped, 'br' => \&unbrotli);
	for my $coding (sort keys %forms) {
		my $r = get($path, 'accept-encoding' => "$coding;q=0.5");
		my $given = $r->{header}{'content-encoding'} // 'nothing';
		next if $given eq 'nothing' && length $plain->{body} < 1000;
		is $given, $coding, "$path is sent as $coding";
		is $forms{$coding}->($r->{body}), $plain->{body}, "$path as $coding is the same file";
		cmp_ok length $r->{body}, '<', length $plain->{body}, "$path as $coding is smaller";
		isnt $r->{header}{etag}, $h{etag}, "$path as $coding has a tag of its own";
	}
}

# ---- conditional requests, HEAD ----

my ($script) = map { "/$_" } grep { /\.js$/ } @assets;
my %codings = ('gzip, deflate, br, zstd' => 'br', 'gzip, br;q=0' => 'gzip', 'br;q=0' => undef,
	'*' => 'br', 'identity' => undef, 'zstd' => undef);
for my $accept (sort keys %codings) {
	is get($script, 'accept-encoding' => $accept)->{header}{'content-encoding'}, $codings{$accept},
	    "the encoding for Accept-Encoding: $accept is " . ($codings{$accept} // 'none');
}

my $client = $host->client;
my %br = ('accept-encoding' => 'gzip, br');
$client->send(GET => $script, \%br);
my $whole = $client->reply;
my $tag = $whole->{header}{etag};
for my $list ($tag, "W/$tag", qq("x", $tag), '*') {
	$client->send(GET => $script, { %br, 'if-none-match' => $list });
	my $r = $client->reply;
	is $r->{status}, 304, "If-None-Match: $list is answered with 304";
	is $r->{header}{$_}, $whole->{header}{$_}, "the 304 for $list has $_"
	    for qw(etag vary cache-control x-content-type-options);
	is $r->{header}{$_}, undef, "the 304 for $list has no $_"
	    for qw(content-type content-length content-encoding transfer-encoding);
}
my ($plain) = $tag =~ /^("[^"]+)-br"$/;
for my $other ('"x"', qq($plain"), qq($plain-gz"), '') {
	$client->send(GET => $script, { %br, 'if-none-match' => $other });
	is $client->reply->{status}, 200, "If-None-Match: $other is answered with the file";
}
$client->send(HEAD => $script, \%br);
my $head = $client->reply;
is_deeply $head->{header}, $whole->{header}, 'HEAD has the headers of GET';
$client->send(GET => '/livez');
is $client->reply->{status}, 200, 'the connection goes on after 304 and HEAD';

# ---- policies ----

my %policy = (
	'content-security-policy' => "default-src 'none'; script-src 'self'; style-src 'self'; "
	    . "img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; "
	    . "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	    . "require-trusted-types-for 'script'; trusted-types 'none'",
	'x-content-type-options' => 'nosniff',
	'x-frame-options' => 'DENY',
	'referrer-policy' => 'no-referrer',
	'cross-origin-resource-policy' => 'same-origin',
	'permissions-policy' => 'camera=(), microphone=(), geolocation=()',
);
my $known = get('/', accept => $HTML, 'if-none-match' => $page->{header}{etag});
is $known->{status}, 304, 'the page is not sent again to those who have it';
for my $r (get('/', accept => $HTML), $known) {
	is $r->{header}{$_}, $policy{$_}, "the page has $_, with status $r->{status}"
	    for sort keys %policy;
}
for my $path ('/', $script) {
	my $r = get($path, accept => $HTML);
	is $r->{header}{$_}, $policy{$_}, "$path has $_"
	    for qw(x-content-type-options cross-origin-resource-policy);
	ok !exists $r->{header}{'access-control-allow-origin'},
	    "$path is not given to pages of other origins";
}

my $frame = get('/frame.html');
is $frame->{status}, 200, 'the frame for HTML of the agent is there';
is $frame->{header}{'content-security-policy'}, "sandbox allow-scripts; default-src 'none'; "
    . "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
    'the frame has a sandbox without network, origin and storage';
is $frame->{header}{'x-content-type-options'}, 'nosniff', 'the frame forbids content sniffing';
ok !exists $frame->{header}{'x-frame-options'}, 'the page may show the frame';

# ---- what the page learns from /info ----

my $info = get('/info')->{json};
like $info->{web}, qr/^[\w-]{12}$/, '/info names the build of the page';
cmp_ok scalar @{ $info->{examples} }, '>=', 3, '/info has examples for the demo agent';
is $info->{can_seal}, JSON::PP::true, '/info says that connections can be sealed';
like $page->{header}{date}, qr/ GMT$/, 'replies have a date, by which the page knows its clock';

my $safe = get('/', accept => $HTML, 'sec-fetch-mode' => 'navigate');
is $safe->{header}{'cross-origin-opener-policy'}, 'same-origin',
    'the page has no opener where browsers keep origins apart';
ok !exists get('/', accept => $HTML)->{header}{'cross-origin-opener-policy'},
    'a page by plain http has no policy that browsers would complain about';
my %foreign = (host => 'other.test', origin => 'http://other.test');
is get($script, %foreign)->{status}, 200, 'the files of the page are open to pages by a foreign name';
is get('/info', %foreign)->{status}, 403, 'other paths are not open to pages by a foreign name';
is get('/assetsX', %foreign)->{status}, 403, 'paths beside the files are not open';

# ---- what is not there ----

for my $path ('/assets/', '/assets/none.js', '/assets/%2e%2e/index.html', '/assets/x/y',
    '/index.html', "$script/") {
	my $r = get($path);
	is $r->{status}, 404, "GET $path is not found";
	is_deeply $r->{json}, { error => 'not found' }, "the reply to GET $path says not found";
}
is $host->http(POST => $script)->{status}, 405, 'POST to a file is not allowed';
is $host->http(DELETE => '/')->{status}, 405, 'DELETE of the page is not allowed';
$host->stop;

# ---- turned off ----

$host = CoHost->start(workers => 1, yaml => "web: false\nexamples: [one, two]\n");
is_deeply get('/info')->{json}{examples}, ['one', 'two'], 'the setting examples is what /info has';
is get($_, accept => $HTML)->{status}, 404, "GET $_ is not found with web: false"
    for '/', '/dashboard', '/agents', $script, '/licenses.txt', '/manifest.webmanifest';
ok !exists get('/info')->{json}{web}, '/info names no build with web: false';
is get('/health')->{status}, 200, 'the server answers without the page';
$host->stop;
done_testing;
