package cases_test

// programs are those of programs/, and one of tests/c/programs; each one says there what it is about.
var programs = map[string][]scenario{
	"kept": {
		{name: "set-later", alone: "full: nothing|resumed: alice may read|resumed: alice may read"},
		{name: "unreserved-slot", alone: "full: nothing|resumed: alice may read|resumed: alice may read", only: "1.2"},
		{name: "set-in-callback", alone: "resumed: alice may read"},
		{name: "set-at-birth", alone: "full: trusted|resumed: nothing|resumed: nothing"},
		{name: "freed-when-removed", alone: "3 of 3", only: "1.3"},
		{name: "chain-of-client", alone: "full: 1 above the client's own, verified 0|resumed: 1 above the client's own, verified 0"},
		{name: "verified-by-connection", alone: "full, certificate known|resumed, certificate known|resumed, certificate known"},
		{name: "refused-by-host", alone: "known: resumed|revoked: full|pardoned: resumed"},
		{name: "never-kept-by-host", alone: "full"},
		{name: "switched-off", alone: "full"},
	},

	"slots": {
		{name: "connection-before", alone: own("connection", "41", "41", "41")},
		{name: "connection-after", alone: own("connection", "41", "41", "41")},
		{name: "context-before", alone: own("context", "41", "41", "41")},
		{name: "context-after", alone: own("context", "41", "41", "41")},
		{name: "session-before", alone: own("session", "41", "41", "41")},
		{name: "session-after", alone: own("session", "41", "41", "41"), only: "1.2"},
		// What libssl copies to the new object is what has been reserved: index 0 always is.
		{name: "session-after", alone: own("session", "41", "2", "2"), only: "1.3"},
		{name: "index-of-another-class", alone: own("connection", "1", "1")},
		{name: "next-index", alone: own("connection", "2", "2")},
	},

	// None gets to "closed". What was made for "open" or without a name shows another certificate
	// than the other one.
	"retry": {
		{name: "early", alone: intruded, served: kept, only: "1.3"},
		{name: "late", alone: intruded, served: kept, only: "1.3"},
		{name: "early", alone: intruded, served: kept, only: "1.3", options: "&single-use=tls13"},
		{name: "late", alone: intruded, served: kept, only: "1.3", options: "&single-use=tls13"},
		// libssl's anti-replay has used the session up when the second ClientHello comes.
		{name: "early-with-early-data", alone: usedUp, served: keptOrUsedUp, only: "1.3"},
		{name: "late-with-early-data", alone: usedUp, served: keptOrUsedUp, only: "1.3"},
	},

	"asked": {
		{
			name: "one-context", alone: order("a.test", "resumed", "resumed", "resumed", "resumed") + "|a.test, then b.test: resumed",
			served: order("a.test", "resumed", "resumed", "resumed", "resumed") + "|a.test, then b.test: full",
		},
		// What a name leads to is learned for a shared store only.
		{
			name: "alike", alone: everyOrder, served: bothMoments("resumed"),
			memory: withAfter(bothMoments("resumed"), "late|", "none, then b.test: resumed", "none, then b.test: full or resumed"),
		},
		{name: "other-certificate", alone: everyOrder, served: bothMoments("full")},
		{name: "other-policy", alone: everyOrder, served: bothMoments("full")},
		{
			name: "closed", alone: "early|" + intoClosed("resumed") + "|late|" + intoClosed("resumed"),
			served: "early|" + closedToAll + "|late|" + closedToAll,
		},
	},

	"bound": {
		{name: "only-certificate", alone: unbound, served: bound, memory: boundOrNot},
		{
			name: "second-kind-renewed", alone: "same: full|same: resumed|renewed: resumed|then: resumed",
			served: "same: full|same: resumed|renewed: full|then: resumed",
			memory: "same: full|same: resumed|renewed: full or resumed|then: resumed",
		},
		// libssl asks for the certificate after it has looked for the session, so nothing is known: the
		// object stays in its process, under libssl's own rules.
		{
			name: "by-certificate-callback", alone: unbound,
			served: "same: full or resumed|changed: full or resumed|then: full or resumed",
		},
		{name: "on-the-connection", alone: unbound, served: bound, memory: boundOrNot},
		{name: "first-without-certificate", alone: unbound, served: bound, memory: boundOrNot},
		{name: "early-replaced", alone: unbound, served: bound, memory: boundOrNot},
		{name: "late-renewed", alone: unbound, served: bound, memory: boundOrNot},
		{name: "late-replaced", alone: unbound, served: bound, memory: boundOrNot},
	},

	// libssl alone looks in the cache of one context, and at nothing that a connection has of its own.
	"own": {
		{name: "store", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "flags", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "depth", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "host", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "purpose", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "trust", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "parameters", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "signatures", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "security-level", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "authorities", alone: noneOwn, served: ownApart, memory: noneOwn},
		{name: "same-authorities", alone: noneOwn, served: fourOwn("resumed", "resumed", "resumed", "resumed"), memory: noneOwn},
		{name: "switched", alone: "switched, then itself: full"},
		{name: "switched-in-trust", alone: "switched, then itself: full"},
		{
			name: "switched-to-same", alone: "switched, then itself: full", served: "switched, then itself: resumed",
			memory: "switched, then itself: full",
		},
		{name: "shared-secret", alone: "at the second: failed|at the first: resumed", only: "1.2"},
		{name: "asked-later", alone: "asked later: resumed", only: "1.3"},
		{name: "changed-store", alone: "before, then after: resumed", served: "before, then after: full"},
		{name: "changed-flags", alone: "before, then after: resumed", served: "before, then after: full"},
		// What cannot be read has no number of its own, but the terms of the context have changed too.
		{name: "changed-trust", alone: "before, then after: resumed", served: "before, then after: full"},
	},

	// A session of one context, at another one: libssl alone looks in the cache of one context. (In
	// TLS 1.2 a host that switches by the protocol leaves libssl with a certificate that is freed.)
	"late": {
		{name: "protocol-alike", alone: "another context's: full", served: "another context's: resumed", memory: "another context's: full"},
		{name: "protocol-demands", turnsAway: true, alone: "with a session: failed|with another: failed|without: failed"},
		{name: "protocol-switches", only: "1.3", turnsAway: true, alone: "first: full|then: full", served: "first: failed|then: full", memory: "first: full|then: full"},
		{name: "protocol-switches-always", only: "1.3", alone: "its own: resumed|and again: resumed"},
		{name: "status-demands", alone: "without a session: failed|with one: failed|asked: yes"},
		{name: "status-callback", alone: "the host's own: yes|none: yes"},
		{name: "hello-looks", alone: "full|resumed|resumed|resumed"},
		{name: "hello-looks-renewed", alone: "first: full|then: full"},
		{name: "nameless", alone: "full|resumed|resumed|resumed"},
		// That this host switches without a name is seen by the first client, which is turned away.
		{name: "nameless-renewed", turnsAway: true, alone: "first: full|then: full", served: "first: failed|then: full", memory: "first: full|then: full"},
		{name: "contexts-come-and-go", alone: "full|resumed|resumed|resumed"},
		{name: "same-again", alone: "full|resumed|resumed|resumed"},
		{name: "replace-store", alone: "first: resumed|then: resumed", served: "first: full|then: full"},
		{name: "replace-verify-store", alone: "first: resumed|then: resumed", served: "first: full|then: full"},
		{name: "raise-level", alone: "first: resumed|then: resumed", served: "first: full|then: full"},
		{
			name: "set-flags", turnsAway: true, alone: "first: resumed|then: resumed", served: "first: failed|then: full",
			memory: "first: resumed|then: resumed",
		},
		{name: "cleared", alone: "first: resumed|cleared: resumed", only: "1.2"},
	},

	// A session of one context, at another one: libssl alone looks in the cache of one context.
	"refused": {
		{name: "extension-demands", turnsAway: true, alone: "at the second: failed"},
		{name: "extension-of-server-demands", alone: "at the second: failed", only: "1.2"},
		{name: "extension-of-certificate", alone: "at the second: failed", only: "1.3"},
		{name: "copy-shows-another", alone: "at the second: full"},
		{name: "copy-shows-the-same", alone: "at the second: full", served: "at the second: resumed", memory: "at the second: full"},
		{name: "known-keys", alone: "at the second: failed"},
		{name: "common-parameters", alone: "at the second: failed"},
		{
			name: "replaced-in-store", alone: "alike: full|at the second: failed", served: "alike: resumed|at the second: failed",
			memory: "alike: full|at the second: failed",
		},
		{name: "replaced-meanwhile", alone: "meanwhile: full|at the second: failed"},
		// libssl 1.1.1 keeps the configuration that it was given first.
		{
			name: "configured", heavy: true, alone: "alike: full|at the second: failed", served: "alike: resumed|at the second: failed",
			memory: "alike: full|at the second: failed",
		},
		// libssl 1.1.1 cannot be without them.
		{name: "extended-secret", alone: "at the second: full", served: "at the second: full or resumed", memory: "at the second: full", only: "1.2"},
	},

	"impostor": {
		{name: "wrong-key", alone: evicted("failed"), served: spared("failed"), only: "1.2"},
		{name: "wrong-key", alone: spared("failed"), only: "1.3"},
		{name: "wrong-key", alone: spared("failed"), served: usedOnce("failed"), only: "1.3", options: "&single-use=tls13"},
		{name: "other-cipher", alone: evicted("failed"), served: spared("failed"), only: "1.2"},
		{name: "without-extended-secret", alone: spared("failed"), only: "1.2"},
		{name: "cut-off", alone: spared("cut off")},
		{name: "garbage", alone: ended("garbage"), served: spared("garbage"), only: "1.2"},
		// In 1.3 the ClientHello has proved it (its binder): libssl's rules for what comes later.
		{name: "garbage", alone: ended("garbage"), served: free("garbage"), only: "1.3"},
		{name: "cut-off", alone: spared("cut off"), served: free("cut off"), only: "1.3", options: "&single-use=tls13"},
		{name: "early-data-wrong-key", alone: evicted("failed"), served: usedOnce("failed"), only: "1.3"},
		{name: "early-data-cut-off", alone: ended("cut off"), served: free("cut off"), only: "1.3"},
		{name: "early-data-garbage", alone: ended("garbage"), served: free("garbage"), only: "1.3"},
	},

	"changed": {
		{name: "timed-out", alone: "full|then: full"},
		{name: "made-older", alone: "full|then: full"},
		{name: "prolonged", alone: "resumed|then: resumed"},
		{name: "restarted", alone: "resumed|then: resumed"},
		{name: "logged-out", alone: "full|then: full"},
		{name: "logged-out-and-in", alone: "resumed|then: resumed"},
		{name: "renamed", alone: "full|then: full"},
		{name: "annotated", alone: "resumed: 'bob', 'http/1.1', 'a.test'"},
		{name: "out-when-resumed", alone: "resumed|full|then: full"},
		{name: "copied", alone: "resumed|then: resumed"},
		{name: "of-client", alone: "resumed|then: resumed"},
		{name: "in-its-place", alone: "resumed|then: resumed"},
	},

	"accounts": {
		{name: "refuses", alone: ownOnly},
		{name: "refuses-elsewhere", alone: ownOnly},
		{name: "flushed", alone: "of before: full|of after: resumed|flushed again: full|where it was not flushed: resumed"},
		{name: "flushed-by-time", alone: "of before: full|of after: resumed|flushed again: full|where it was not flushed: resumed"},
		{name: "released", alone: "the host has as many as the cache: yes|in the end: 0"},
		{name: "released-with-tickets", alone: "the host has as many as the cache: yes|in the end: 0"},
		{name: "never-told", alone: ownOnly},
	},

	"ends": {
		{name: "last-is-connection", alone: "resumed|alive", only: "1.3"},
		{name: "data-meanwhile", alone: "alive"},
		{name: "freed-by-two", alone: "used up", served: "put back", only: "1.3"},
	},

	// What clients show that are large costs the others nothing.
	"large": {
		{name: "crowd", alone: "of the others: 300 of 300"},
	},

	"times": {
		{name: "large", alone: "300: resumed|2147483647: resumed|2147483648: resumed|4294967295: resumed|4294967296: resumed|" +
			"9223372036854775: resumed|4611686018427387903: resumed|9223372036854775806: resumed|9223372036854775807: resumed"},
		{name: "zero", alone: "0: full or resumed", served: "0: full or resumed"},
		{name: "negative", alone: "-1: full or resumed|-9223372036854775808: full or resumed"},
		{name: "shortened", alone: "full"},
		// A full handshake would refuse the client.
		{
			name: "certificate-over", alone: "valid: resumed|over: resumed",
			served: "valid: resumed|over: failed", memory: "valid: resumed|over: resumed",
		},
		{
			name: "list-over", alone: "valid: resumed|over: resumed",
			served: "valid: resumed|over: failed", memory: "valid: resumed|over: resumed",
		},
		{name: "prolonged", alone: "resumed"},
		{name: "ended", alone: "full"},
		// libssl 1.1.1 does not forgive what was removed, and ends the connection.
		{
			name: "added-again", alone: "resumed|removed 1: full|added 1: resumed or failed",
			served: "resumed|removed 1: full|added 1: resumed",
		},
		{name: "flushed", alone: "the host is told: yes|full"},
		{
			name: "apart", alone: "resumed 40 of 40|before the end: resumed|after it: full or resumed",
			served: "resumed 40 of 40|before the end: resumed|after it: full",
		},
		{
			name: "apart-by-a-tick", alone: "resumed 40 of 40|before the end: resumed|after it: full or resumed",
			served: "resumed 40 of 40|before the end: resumed|after it: full",
		},
		{
			name: "clock-set-back", alone: "set back: resumed|before the end: resumed|after it: resumed",
			served: "set back: resumed|before the end: resumed|after it: full", only: "1.3",
		},
	},

	"added": {
		{name: "changed", alone: "the same: 0|nothing: resumed|changed: 1|may read: resumed|changed again: 0|back: 1|nothing: resumed"},
		{name: "ended", alone: "1|nothing: full"},
		{name: "in-callback", alone: "then: 0|nothing: resumed|nothing: resumed", only: "1.2"},
		{name: "in-callback", alone: "then: 0|nothing: resumed|nothing: full", only: "1.3"},
		{name: "stored-by-host", alone: "then: 1|nothing: resumed|nothing: resumed", only: "1.2"},
		{name: "stored-by-host", alone: "then: 1|nothing: resumed|nothing: full", only: "1.3"},
		{name: "copy-in-callback", alone: "then: 1|may read: resumed|may read: resumed", only: "1.2"},
		{name: "copy-in-callback", alone: "then: 1|may read: resumed|nothing: full", only: "1.3"},
		{name: "removed-in-callback", alone: "removed: 1|then: 0|nothing: full|nothing: full"},
		// libssl 1.1.1 does not forgive what was removed, and ends the connection.
		{
			name: "removed-and-added-in-callback", alone: "removed: 1|then: 1|nothing: resumed or failed|nothing: resumed or full",
			served: "removed: 1|then: 1|nothing: resumed|nothing: resumed", only: "1.2",
		},
		{name: "removed-and-added-in-callback", alone: "removed: 1|then: 1|nothing: resumed|nothing: full", only: "1.3"},
	},

	"repeated": {
		{name: "authorities", alone: "resumed: all|memory: flat", only: "1.2", heavy: true},
		{name: "callback", alone: "resumed: all|memory: flat", only: "1.2", heavy: true},
		// What an argument points to may have changed: whether it is the same cannot be known.
		{
			name: "callback-with-argument", alone: "resumed: all|memory: flat",
			served: "resumed: all or none|memory: flat", only: "1.2", heavy: true,
		},
		{name: "large-sessions", alone: "more than two in three are left", only: "1.2", heavy: true},
	},

	// In TLS 1.3 a connection with a key that both know is one that resumes, by libssl's own words.
	"identities": {
		{name: "by-context", alone: "known: full|another: failed|its own: resumed", only: "1.2"},
		{name: "by-context", alone: "known: resumed|another: full|its own: resumed", only: "1.3"},
		{name: "by-connection", alone: "known: full|another: failed|its own: resumed", only: "1.2"},
		{name: "by-connection", alone: "known: resumed|another: full|its own: resumed", only: "1.3"},
		{name: "by-found-session", alone: "known: resumed|another: full|its own: resumed", only: "1.3"},
		{name: "by-found-session-of-connection", alone: "known: resumed|another: full|its own: resumed", only: "1.3"},
		// Two contexts that present and demand the same share what is known by no key.
		{
			name: "without-key", alone: "known: full|another: full|its own: resumed",
			served: "known: full|another: resumed|its own: resumed", memory: "known: full|another: full|its own: resumed",
		},
		{name: "resumed-without-key", alone: "full|resumed|another: full", served: "full|resumed|another: resumed", memory: "full|resumed|another: full"},
		{name: "resumed-beside-key", alone: "full|resumed|another: full", only: "1.3"},
		{name: "by-password", alone: "known: full|another: full|its own: resumed", only: "1.2"},
	},

	"liars": {
		{name: "another-id", alone: "the first one for the second: failed"},
		{name: "expired-by-host", alone: "known: resumed|expired: full"},
		{name: "switched-back", alone: "there and back: resumed"},
		{name: "name-refused", alone: "refused: failed|served: full", served: "refused: failed|served: full or resumed"},
		{name: "demand-appears", alone: "no demand: resumed|a demand: resumed", served: "no demand: resumed|a demand: failed"},
		{name: "demand-was-waived", alone: "no longer waived: resumed", served: "no longer waived: failed"},
		{
			name: "demand-of-one-connection", alone: "this one demands: resumed|others do not: resumed",
			served: "this one demands: failed|others do not: resumed",
		},
		{name: "id-context-changes", alone: "another context of ids: full"},
		{name: "context-in-its-place", alone: "demands: failed|another certificate: full"},
	},
}
