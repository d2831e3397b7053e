# A server with Perl's Net::SSLeay, which can be told of new sessions but not asked for them: port, certificate and key.
# TICKETS=off takes its tickets away.
use strict;
use warnings;
use IO::Socket::INET;
use Net::SSLeay;

my ($port, $pem) = @ARGV;
my %calls = (new => 0, get => 0);
my %sessions;
END { print "new $calls{new} get $calls{get}\n" if %calls }
$SIG{TERM} = sub { exit 0 };
$SIG{PIPE} = 'IGNORE';

Net::SSLeay::initialize();
my $context = Net::SSLeay::CTX_new() or die "no context";
Net::SSLeay::CTX_use_certificate_file($context, $pem, Net::SSLeay::FILETYPE_PEM()) or die "no certificate";
Net::SSLeay::CTX_use_PrivateKey_file($context, $pem, Net::SSLeay::FILETYPE_PEM()) or die "no key";
Net::SSLeay::CTX_set_session_id_context($context, "perl", 4);
Net::SSLeay::CTX_set_options($context, Net::SSLeay::OP_NO_TICKET()) if ($ENV{TICKETS} // "") eq "off";
Net::SSLeay::CTX_set_session_cache_mode($context, Net::SSLeay::SESS_CACHE_SERVER() | Net::SSLeay::SESS_CACHE_NO_INTERNAL());
Net::SSLeay::CTX_sess_set_new_cb($context, sub {
    my ($ssl, $session) = @_;
    $calls{new}++;
    $sessions{ $calls{new} } = Net::SSLeay::i2d_SSL_SESSION($session);
    return 0;
});
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 64, ReuseAddr => 1) or die "no listener";
while (1) {
    my $plain = $listener->accept or next;
    my $ssl = Net::SSLeay::new($context);
    Net::SSLeay::set_fd($ssl, fileno $plain);
    if (Net::SSLeay::accept($ssl) == 1) {
        Net::SSLeay::read($ssl);
        Net::SSLeay::write($ssl, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        Net::SSLeay::shutdown($ssl);
    }
    Net::SSLeay::free($ssl);
    close $plain;
}
