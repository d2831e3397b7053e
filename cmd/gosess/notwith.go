package main

import "path/filepath"

// Why a program is better left alone. docs/servers/not-with.md says the same, with what was seen.
const (
	aProcessEach = "each connection has a process of its own, in which loading gosess takes longer than a full handshake"
	noMore       = "it resumes as many sessions without gosess"
	littleMemory = "it allows its processes too little memory for gosess, which then leaves sessions to libssl"
	noFarewell   = "it closes connections without close_notify, which ends all sessions but those in tickets"
	noPreload    = "its workers drop what is preloaded"
	ownTLS       = "its TLS is not OpenSSL's"
)

// notWith is what is known of programs by their names.
var notWith = map[string]string{
	"beam.smp":       ownTLS,
	"ejabberdctl":    ownTLS,
	"freeradius":     noMore,
	"gunicorn":       noFarewell,
	"hostapd":        noMore,
	"kamailio":       noMore,
	"lighttpd":       noMore,
	"mariadbd":       noMore,
	"mini_httpd":     aProcessEach,
	"monit":          noMore,
	"named":          noMore,
	"node":           noMore,
	"openvpn":        noMore,
	"pgbouncer":      noMore,
	"postgres":       noMore,
	"prosody":        noMore,
	"puma":           noMore,
	"pure-ftpd":      littleMemory,
	"redis-server":   noFarewell,
	"rsyslogd":       noMore,
	"socat":          aProcessEach,
	"squid":          noPreload,
	"stunnel":        noMore,
	"stunnel4":       noMore,
	"tor":            noMore,
	"traffic_server": noMore,
	"turnserver":     noMore,
	"uwsgi":          noMore,
	"vsftpd":         littleMemory,
}

// warning is what run says of a program before it becomes it: empty where nothing is known against it.
func warning(program string) string {
	name := filepath.Base(program)
	if reason := notWith[name]; reason != "" {
		return "gosess: " + name + " gains nothing: " + reason + "\n"
	}
	return ""
}
