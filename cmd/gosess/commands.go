package main

// commands is the table of all there are, in the order in which help shows them. Those of one group follow each other.
func commands() []command {
	return []command{
		{
			name:     "run",
			operands: "[--] PROGRAM [ARGUMENT...]",
			short:    "become PROGRAM, with the session cache preloaded",
			about: `A URL, a key file or a log that the server could not use is an error, as is a library that lacks its
Go half: nothing is started then. The options win over the environment, and are handed on in it.`,
			examples: []example{
				{"gosess run -- nginx", "one store in memory for all workers"},
				{"gosess run --tickets shared --cache 'shm:/var/lib/gosess/web?size=256m' -- nginx -g 'daemon off;'", "kept over restarts, tickets too"},
			},
			program: true,
			prepare: prepareRun,
		},
		{
			name:     "check",
			operands: "URL",
			short:    "say what a server would do with this URL",
			about: `Nothing is made or changed. Both halves of the library are looked for too: where they are not there, or
do not fit each other, a server would serve without a cache.`,
			examples: []example{
				{"gosess check 'shm:/var/lib/gosess/web?size=256m'", "would it be made, or used, and why not?"},
			},
			prepare: prepareCheck,
		},
		{
			name:     "stats",
			operands: "URL | --pid PID",
			short:    "show the counters of a store",
			about: `They are read from outside: no server is asked or held up, no key is needed, and nothing is written.
A store in memory is named by the id of a process that has it mapped; that needs root.`,
			examples: []example{
				{"gosess stats shm:/var/lib/gosess/web", "what has each worker counted?"},
				{`gosess stats --pid "$(cat /run/nginx.pid)"`, "the same of a store in memory"},
				{"gosess stats --watch 1s shm:/var/lib/gosess/web", "what happens now, on a screen of 80 columns and 24 rows"},
				{"gosess stats --json shm:/var/lib/gosess/web | jq .missedTerms", "for programs"},
				{"gosess stats --prometheus shm:/var/lib/gosess/web > /var/lib/prometheus/node-exporter/gosess.prom", "from cron; or see gosess serve"},
			},
			prepare: prepareStats,
		},
		{
			name:     "serve",
			operands: "[URL...]",
			short:    "serve the counters of stores over HTTP: /metrics for Prometheus, and a page for people",
			about: `The page shows the last hour. Both only read: nothing can be changed over HTTP, and no secret is shown.
Stores need not be there yet. Names of certificates and process ids are shown to whoever may connect.`,
			examples: []example{
				{"gosess serve shm:/var/lib/gosess/web", "http://127.0.0.1:9477/ for a browser on this machine"},
				{`gosess serve --listen 127.0.0.1:9478 --pid "$(cat /run/nginx.pid)"`, "a store in memory, at another port"},
			},
			prepare: prepareServe,
		},
		{
			name:     "ls",
			operands: "URL | --pid PID",
			short:    "list the sessions of a store: keyed hashes, contexts, ages, sizes",
			about: `No key is needed, and nothing of a session itself is shown: neither its id, nor who had it, nor what is sealed.
Ages are true to 3 % of what a session was to live. --json prints an object a line.`,
			examples: []example{
				{"gosess ls shm:/var/lib/gosess/web | head", "a look at it"},
				{"gosess ls --context www.example.org shm:/var/lib/gosess/web", "the sessions of one certificate"},
			},
			prepare: prepareList,
		},
		{
			name:     "flush",
			operands: "URL | --pid PID",
			short:    "drop sessions of a store, while servers go on",
			about: `Clients that come back with one make a full handshake. Sessions that a process keeps as objects, and those that are
in tickets, are not in the store: they stay (gosess keys has the secrets of tickets).`,
			examples: []example{
				{"gosess flush shm:/var/lib/gosess/web", "all"},
				{"gosess flush --older 1h shm:/var/lib/gosess/web", "those alone that were stored more than an hour ago"},
				{"gosess flush --context www.example.org shm:/var/lib/gosess/web", "those of one certificate"},
			},
			prepare: prepareFlush,
		},
		{
			name:     "doctor",
			operands: "HOST:PORT...",
			short:    "say what becomes of the sessions of a running TLS server, and why",
			about: `It comes as clients do, to every address of HOST, as many times as the answer needs: one bad machine
of ten is found with a probability of 99 %, one of a hundred with --expect 'resumed>=99'. Several HOST:PORT
are looked at as one service. What can be expected: resumed, tls12-ticket, tls13, tls12-id (percent), lifetime,
key-age (seconds), keys, addresses, faults (counts), default-key, renewed, twice, early-data, replayable and
crosses-names (yes or no). It ends with 1 where an expectation is missed or, where none is given, there is a
fault; with 2 where nobody can be reached. See docs/operating.md.`,
			examples: []example{
				{"gosess doctor www.example.org:443", "who is resumed, and what is wrong?"},
				{"gosess doctor 192.0.2.1:443 192.0.2.2:443 --sni www.example.org", "two machines before they are in DNS"},
				{"gosess doctor mail.example.org:25 --starttls smtp", ""},
				{"gosess doctor www.example.org:443 --expect 'resumed>=99' --expect replayable=no", "for a script, after a deployment"},
				{"gosess doctor www.example.org:443 --since /var/lib/gosess/www", "what did the deployment lose, how old are the keys?"},
			},
			prepare: prepareDoctor,
		},
		{
			name:  "keygen",
			short: "make a sealing key: one line for a key file",
			examples: []example{
				{"(umask 077; gosess keygen > /etc/gosess/keys)", "a key file; see gosess(7) for a change of keys"},
			},
			prepare: prepareKeygen,
		},
		{
			name:     "keys rotate",
			operands: "FILE [URL...]",
			short:    "add a sealing key to a key file, and have running servers use it",
			about: `The servers that use the store of a URL seal under the new key at once, those of a fleet a minute later, on all machines; what
was sealed before still opens. Run it on one machine of a fleet, and gosess keys update on the others.
Without a URL the file alone changes: servers read it when they are started.`,
			examples: []example{
				{"gosess keys rotate /etc/gosess/keys shm:/var/lib/gosess/web", ""},
				{`gosess keys rotate --pid "$(cat /run/nginx.pid)" /etc/gosess/keys`, "of a store in memory"},
			},
			prepare: prepareKeys("keys rotate", rotate),
		},
		{
			name:     "keys drop",
			operands: "FILE [URL...]",
			short:    "take the oldest sealing key from a key file, and have running servers accept it no more",
			about: `What is sealed under it is nothing any more, in all processes that use the store, and on all machines of a fleet:
sessions at once, tickets of GOSESS_TICKETS=shared within a minute. Wait after a rotation for as long as sessions live.`,
			examples: []example{
				{"gosess keys drop /etc/gosess/keys shm:/var/lib/gosess/web", ""},
			},
			prepare: prepareKeys("keys drop", drop),
		},
		{
			name:     "keys update",
			operands: "FILE [URL...]",
			short:    "have a key file be what running servers know, and these what the file says",
			about: `The file gets the keys that were made on another machine of the fleet, and loses those that were dropped there. What was
added to it by hand, or taken out, the servers hear of. Nothing new is made.`,
			examples: []example{
				{"gosess keys update /etc/gosess/keys shm:/var/lib/gosess/web", ""},
			},
			prepare: prepareKeys("keys update", update),
		},
		{
			name:     "keys export",
			operands: "URL",
			short:    "write the keys of now for tickets as a key file, for a server without gosess",
			about: `All servers that have it, of whatever kind, open each other's tickets; no server with gosess does, and none of
them opens what gosess seals. Their tickets are bound to no name and no certificate. The file has the keys of the previous
period, of this one, which seals, and of the next (httpd reads one only): make it anew each period, and have the server read it.
nginx and envoy have a file for each: FILE, which comes first in their configuration, FILE.next and FILE.previous.`,
			examples: []example{
				{"gosess keys export --for haproxy --to /etc/haproxy/ticket.keys shm:/var/lib/gosess/web", "for tls-ticket-keys"},
				{"gosess keys export --for nginx --to /etc/nginx/ticket.key shm:/var/lib/gosess/web", "for three lines of ssl_session_ticket_key"},
			},
			prepare: prepareExport,
		},
		{
			name:     "enable",
			operands: serviceNames(),
			short:    "have systemd start a service with gosess from now on",
			about: `It writes a drop-in for the service's unit, prints it, and restarts nothing. A file that was not made by gosess
stays as it is.`,
			examples: []example{
				{"gosess enable nginx", "a store that lasts, and tickets that every worker can open"},
				{"gosess enable --show haproxy", "what would be written?"},
			},
			prepare: prepareEnable,
		},
		{
			name:     "disable",
			operands: serviceNames(),
			short:    "undo gosess enable",
			examples: []example{
				{"gosess disable nginx", "the service starts without gosess from its next restart on"},
			},
			prepare: prepareDisable,
		},
		{
			name:  "version",
			short: "say what is installed: this command, both halves of the library, libssl",
			examples: []example{
				{"gosess version", "do the two halves fit each other?"},
				{"gosess --version", "one line"},
			},
			prepare: prepareVersion,
		},
		{
			name:     "completion",
			operands: "bash|zsh|fish",
			short:    "print what makes a shell complete the command lines of gosess",
			examples: []example{
				{"source <(gosess completion bash)", "for this shell; in ~/.bashrc for each"},
				{"gosess completion zsh > /usr/local/share/zsh/site-functions/_gosess", "for all users of zsh"},
				{"gosess completion fish > ~/.config/fish/completions/gosess.fish", ""},
			},
			prepare: none(completion),
		},
		{
			name:     "help",
			operands: "[COMMAND]",
			short:    "explain a command, with examples",
			examples: []example{
				{"gosess help stats", "the same as gosess stats --help"},
			},
			prepare: none(help),
		},
		{
			name:    "__complete",
			short:   "what the last of some words may become; for the scripts of completion",
			program: true,
			hidden:  true,
			prepare: none(complete),
		},
	}
}
