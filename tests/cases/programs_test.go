package cases_test

// programs are those of tests/cases/programs and tests/c/programs; each one says there what it is about.
var programs = map[string][]scenario{
	"kept": {
		{name: "set-later", alone: "full: nothing|resumed: alice may read|resumed: alice may read"},
		{name: "unreserved-slot", alone: "full: nothing|resumed: alice may read|resumed: alice may read", only: "1.2"},
		{name: "set-in-callback", alone: "resumed: alice may read"},
		{name: "set-at-birth", alone: "full: trusted|resumed: nothing|resumed: nothing"},
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

	"ends": {
		{name: "last-is-connection", alone: "resumed|alive", only: "1.3"},
		{name: "data-meanwhile", alone: "alive"},
	},

	"times": {
		{name: "large", alone: "300: resumed|2147483647: resumed|2147483648: resumed|4294967295: resumed|4294967296: resumed|" +
			"9223372036854775: resumed|4611686018427387903: resumed|9223372036854775806: resumed|9223372036854775807: resumed"},
		{name: "zero", alone: "0: full or resumed", served: "0: full or resumed"},
		{name: "negative", alone: "-1: full or resumed|-9223372036854775808: full or resumed"},
		{name: "shortened", alone: "full"},
		{name: "prolonged", alone: "resumed"},
		{name: "ended", alone: "full"},
		// libssl 1.1.1 does not forgive what was removed, and ends the connection.
		{
			name: "added-again", alone: "resumed|removed 1: full|added 1: resumed or failed",
			served: "resumed|removed 1: full|added 1: resumed",
		},
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
