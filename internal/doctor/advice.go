package doctor

import (
	"cmp"
	"strings"
)

// A recipe is the lines that change what was found. Lines that begin with # say where the next ones go, or why.
type recipe struct {
	code   string // of a finding: with what it is about behind a stroke, or for both without
	server string // "": every other
	lines  string
}

// recipes are looked through from the top: the first that fits is shown.
var recipes = []recipe{
	{"not-resumed/cache", nginx, cacheOfNginx}, {"no-session", nginx, cacheOfNginx}, {"partly-resumed/cache", nginx, cacheOfNginx},
	{"not-resumed/cache", haproxy, cacheOfHAProxy}, {"no-session", haproxy, cacheOfHAProxy}, {"partly-resumed/cache", haproxy, cacheOfHAProxy},
	{"not-resumed/cache", httpd, cacheOfHTTPD}, {"no-session", httpd, cacheOfHTTPD}, {"partly-resumed/cache", httpd, cacheOfHTTPD},
	{"not-resumed/cache", stunnel, "sessionResume = yes"}, {"no-session", stunnel, "sessionResume = yes"},
	{"not-resumed", postfix, cacheOfPostfix}, {"no-session", postfix, cacheOfPostfix}, {"no-ticket-on-resumption", postfix, cacheOfPostfix},
	{"not-resumed", dovecot, gosessOfDovecot}, {"partly-resumed", dovecot, gosessOfDovecot}, {"no-session", dovecot, gosessOfDovecot},
	{"partly-resumed", uvicorn, gosessStateful}, {"not-resumed", uvicorn, gosessStateful},
	{"partly-resumed/cache", hitch, gosessCache}, {"not-resumed/cache", hitch, gosessCache},

	{"addresses-apart", nginx, keysOfNginx}, {"partly-resumed/keys", nginx, keysOfNginx}, {"not-resumed/keys", nginx, keysOfNginx}, {"lost", nginx, keysOfNginx},
	{"addresses-apart", haproxy, keysOfHAProxy}, {"partly-resumed/keys", haproxy, keysOfHAProxy}, {"not-resumed/keys", haproxy, keysOfHAProxy}, {"lost", haproxy, keysOfHAProxy},
	{"addresses-apart", httpd, cacheOfHTTPDs}, {"partly-resumed/keys", httpd, gosessShared}, {"lost", httpd, gosessShared},
	{"addresses-apart", stunnel, keysOfStunnel}, {"partly-resumed/keys", stunnel, keysOfStunnel}, {"lost", stunnel, keysOfStunnel},
	{"addresses-apart", hitch, gosessShared}, {"partly-resumed/keys", hitch, gosessShared}, {"lost", hitch, gosessShared},

	{"no-ticket-on-resumption", haproxy, "# instead of tls-ticket-keys on the bind line: HAProxy's own cache, for one machine,\n" +
		"ssl-default-bind-options no-tls-tickets\n# or, with gosess, tls-ticket-keys as it is, and\n" + gosessShared},
	{"no-ticket-on-resumption", httpd, "# take the line SSLSessionTicketKeyFile away: httpd's children share a key without it.\n" +
		"# For keys that outlive a reload:\n" + gosessShared},

	{"default-key", nginx, "# a random key in the place of this one\nopenssl rand 80 > /etc/nginx/ticket.key; chmod 600 /etc/nginx/ticket.key\n" +
		"ssl_session_ticket_key /etc/nginx/ticket.key;"},
	{"default-key", haproxy, "# random keys in the place of these: three lines, the second of which makes tickets\n" +
		"for i in 1 2 3; do openssl rand -base64 48; done > /etc/haproxy/ticket.keys; chmod 600 /etc/haproxy/ticket.keys\n" +
		"bind ... tls-ticket-keys /etc/haproxy/ticket.keys"},
	{"default-key", httpd, keyFileOfHTTPD}, {"default-mac-key", httpd, keyFileOfHTTPD},

	{"crosses-names", nginx, "# nginx 1.27.4 or later, where clients are verified; else an address or a port of its own for each name,\n" +
		"listen 192.0.2.2:443 ssl;\n# or gosess, which binds sessions to name, certificate and policy:\n" + gosessShared},
	{"crosses-names", haproxy, "# a bind line of its own, with an address or a port of its own, for each certificate,\n" +
		"bind 192.0.2.2:443 ssl crt /etc/haproxy/other.pem\n# or gosess, which binds sessions to name, certificate and policy:\n" + gosessShared},

	{"replayable", nginx, "ssl_early_data off;\n# or, where the application refuses what must not come twice (425 Too Early, RFC 8470):\n" +
		"proxy_set_header Early-Data $ssl_early_data;"},
	{"replayable", haproxy, "# take allow-0rtt off the bind line, or have all but harmless requests wait:\n" +
		"http-request wait-for-handshake if ! METH_GET"},

	{"old-key", nginx, "# each day: a new file first, which makes tickets, the old one behind it; then nginx -s reload\n" +
		"ssl_session_ticket_key /etc/nginx/ticket.new.key;\nssl_session_ticket_key /etc/nginx/ticket.old.key;\n" + orGosess},
	{"old-key", haproxy, "# each day, on the command line of HAProxy (stats socket):\nset ssl tls-key /etc/haproxy/ticket.keys " +
		"<openssl rand -base64 48>\n" + orGosess},
	{"old-key", httpd, "# each day another file, and a reload:\nSSLSessionTicketKeyFile /etc/apache2/ticket.key\n" + orGosess},

	{"no-tls13", nginx, "ssl_protocols TLSv1.2 TLSv1.3;"}, {"no-tls13", haproxy, "ssl-default-bind-options ssl-min-ver TLSv1.2"},
	{"no-tls13", httpd, "SSLProtocol -all +TLSv1.2 +TLSv1.3"}, {"no-tls13", "", "# switch TLS 1.3 on"},
	{"long-lived", nginx, "ssl_session_timeout 1h;"}, {"long-lived", haproxy, "tune.ssl.lifetime 3600"},
	{"long-lived", httpd, "SSLSessionCacheTimeout 3600"}, {"long-lived", stunnel, "sessionCacheTimeout = 3600"},
	{"long-lived", postfix, "smtpd_tls_session_cache_timeout = 3600s"},
	{"ends-early", nginx, "ssl_session_cache shared:tls:50m; # larger"}, {"ends-early", haproxy, "tune.ssl.cachesize 100000"},
	{"ends-early", httpd, "SSLSessionCache shmcb:${APACHE_RUN_DIR}/ssl_scache(5120000)"},

	{"not-resumed/cache", "", "# a cache that all processes of the server share, or tickets; with gosess:\n" + gosessCache},
	{"no-session", "", "# switch the server's session cache or its tickets on; with gosess:\n" + gosessShared},
	{"partly-resumed/cache", "", "# a cache that all processes of the server share; with gosess:\n" + gosessCache},
	{"partly-resumed/keys", "", "# the same ticket keys for all machines and processes; of one machine with gosess:\n" + gosessShared},
	{"not-resumed/keys", "", "# ticket keys that outlive a connection; with gosess:\n" + gosessShared},
	{"addresses-apart/keys", "", "# the same ticket keys at all addresses, another one each day"},
	{"addresses-apart/cache", "", "# tickets, under the same keys at all addresses, another one each day"},
	{"lost", "", "# ticket keys in a file, or a cache that outlives the server; with gosess:\n" + gosessShared},
	{"no-ticket-on-resumption", "", "# the callback for ticket keys has to answer 2 (SSL_CTX_set_tlsext_ticket_key_cb(3)); with gosess:\n" + gosessShared},
	{"default-key", "", "# a random ticket key in the place of this one: openssl rand 80"},
	{"default-mac-key", "", "# a random ticket key in the place of this one: openssl rand 80"},
	{"old-key", "", "# another ticket key each day, the one before kept for a day; with gosess, by itself:\n" + gosessShared},
	{"crosses-names", "", "# an address or a port of its own for each certificate; or, with gosess, which binds sessions to name, certificate and policy:\n" + gosessShared},
	{"replayable", "", "# switch early data off"},
	{"long-lived", "", "# a session timeout of an hour"},
	{"ends-early", "", "# a larger cache, or ticket keys that are kept as long as tickets last"},
	{"addresses-differ", "", "# the same configuration at all addresses"},
	{"unreachable", "", "# take the address out of DNS, or mend what is behind it"},
	{"no-way", "", "# gosess doctor, on another machine"}, {"left-out", "", "# gosess doctor IP:PORT... --sni NAME"},
	{"failures", "", "# see the server's error log"},
}

// installed is where make install puts the library. Where the caller knows of another place, that is shown.
const installed = "/usr/local/lib/libgosess.so"

const (
	gosessShared = "# systemctl edit the service, and restart; for nginx, haproxy and apache2 gosess enable writes such lines\n[Service]\nEnvironment=LD_PRELOAD=" + installed + "\n" +
		"Environment=GOSESS_CACHE=shm:/var/lib/gosess/store?size=64m\nEnvironment=GOSESS_TICKETS=shared\nStateDirectory=gosess"
	gosessStateful = "# systemctl edit the service, and restart; for nginx, haproxy and apache2 gosess enable writes such lines\n[Service]\nEnvironment=LD_PRELOAD=" + installed + "\n" +
		"Environment=GOSESS_CACHE=shm:/var/lib/gosess/store?size=64m\nEnvironment=GOSESS_TICKETS=stateful\nStateDirectory=gosess"
	gosessCache = "# systemctl edit the service, and restart; for nginx, haproxy and apache2 gosess enable writes such lines\n[Service]\nEnvironment=LD_PRELOAD=" + installed + "\n" +
		"Environment=GOSESS_CACHE=shm:/var/lib/gosess/store?size=64m\nStateDirectory=gosess"
	orGosess = "# or, with gosess, by itself each hour:\n" + gosessShared

	cacheOfNginx   = "ssl_session_cache shared:tls:10m;\nssl_session_tickets on;\n" + orGosessCache
	cacheOfHAProxy = "# global section: a cache (20000 is the default), or tickets without no-tls-tickets\ntune.ssl.cachesize 20000"
	cacheOfHTTPD   = "# with socache_shmcb_module\nSSLSessionCache shmcb:${APACHE_RUN_DIR}/ssl_scache(512000)\n" + orGosessCache
	cacheOfHTTPDs  = "# one cache for all machines, with socache_memcache_module\nSSLSessionCache memcache:192.0.2.9:11211\nSSLSessionTickets off"
	orGosessCache  = "# or, over restarts too:\n" + gosessCache
	cacheOfPostfix = "# main.cf: Postfix's own cache, or gosess (docs/servers/postfix.md), and no tickets, of which Postfix gives none on a resumption\n" +
		"smtpd_tls_session_cache_database = btree:${data_directory}/smtpd_scache\nsmtpd_tls_session_cache_timeout = 3600s\ntls_ssl_options = NO_TICKET"
	gosessOfDovecot = "# local.conf, with gosess: docs/servers/dovecot.md\nssl_options = no_ticket\nservice imap-login {\n  service_count = 0\n}"

	keysOfNginx = "# the same file at all addresses: openssl rand 80 > /etc/nginx/ticket.key; another one each day, the old one behind it\n" +
		"ssl_session_ticket_key /etc/nginx/ticket.key;\nssl_session_tickets on;\n# or, on one machine, with gosess:\n" + gosessShared
	keysOfHAProxy = "# the same file at all addresses: three lines of openssl rand -base64 48\n" +
		"bind ... tls-ticket-keys /etc/haproxy/ticket.keys\n" +
		"# HAProxy gives no ticket on a resumption then; with gosess it does, and on one machine it needs no file:\n" + gosessShared
	keysOfStunnel = "# the same at all addresses, 32 random bytes each: openssl rand -hex 32\nticketKeySecret = ...\nticketMacSecret = ..."

	keyFileOfHTTPD = "# take the line SSLSessionTicketKeyFile away: with OpenSSL 3 mod_ssl 2.4 authenticates tickets with zeros, whatever is in\n" +
		"# the file. httpd's children share a key without it. For keys that outlive a reload:\n" + gosessShared
)

// cure is the lines for a finding and a server, where the library lies somewhere.
func cure(code, server, library string) []string {
	general, _, _ := strings.Cut(code, "/")
	for _, wanted := range []string{server, ""} {
		for _, r := range recipes {
			if r.server == wanted && (r.code == code || r.code == general) {
				return strings.Split(strings.ReplaceAll(r.lines, installed, cmp.Or(library, installed)), "\n")
			}
		}
	}
	return nil
}
