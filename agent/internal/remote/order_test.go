package remote

import (
	"fmt"
	"testing"
)

const confirmed = ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"

// TestOrder has commands, and answers that are those of a server or not.
func TestOrder(t *testing.T) {
	const (
		get, subscribe, two = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n", "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n"
		unsubscribe         = "*2\r\n$11\r\nUNSUBSCRIBE\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n"
		message, ended      = ">3\r\n+message\r\n+a\r\n+b\r\n", ">3\r\n+unsubscribe\r\n+a\r\n:0\r\n"
	)
	for _, c := range []struct {
		commands, answers string
		well              bool
	}{
		{subscribe + get, confirmed + "_\r\n" + message, true},
		{get + subscribe, "*1\r\n*1\r\n:1\r\n" + message + confirmed + ended, true},
		{two + get, confirmed + message + confirmed + "_\r\n", true},
		{two + get, confirmed + ended + "_\r\n", true},
		{subscribe + get, "-NOPERM no\r\n_\r\n", true},
		{unsubscribe + get, ended + "+PONG\r\n$5\r\nhello\r\n", true},
		{unsubscribe + subscribe, ended + ended + "+PONG\r\n" + confirmed, true},
		{unsubscribe + get, "-NOPERM no\r\n+PONG\r\n_\r\n", true},
		{unsubscribe + get, "-NOPERM no\r\n-NOPERM no\r\n", false},
		{unsubscribe + get, "-BUSY so\r\n-BUSY so\r\n", false},
		{unsubscribe + get, ended + "_\r\n", false},
		{unsubscribe, "+PONG\r\n+PONG\r\n", false},
		{get + subscribe, confirmed, false},
		{get, confirmed, false},
		{"", confirmed, false},
		{subscribe, confirmed + confirmed, false},
		{subscribe, confirmed + "_\r\n", false},
		{subscribe, "+OK\r\n", false},
		{subscribe, "+QUEUED\r\n", false},
		{subscribe, "-QUEUED\r\n", false},
		{subscribe, "$6\r\nQUEUED\r\n", false},
		{subscribe, "*3\r\n+subscribe\r\n+a\r\n:1\r\n", false},
		{get, "|1\r\n+a\r\n+b\r\n_\r\n", false},
		{get, "_\r\n_\r\n", false},
		{two + get, confirmed + "_\r\n" + confirmed + confirmed, false},
	} {
		g := guard(nil, true, nil, nil)
		if err := g.written.scan([]byte(c.commands)); err != nil {
			t.Fatal(err)
		}
		if err := g.read.scan([]byte(c.answers)); (err == nil) != c.well {
			t.Errorf("%q answered by %q: %v", c.commands, c.answers, err)
		}
	}
}

// TestConfirmationsOfNothing has a store confirm what was not asked for, where an agent listens: the library would end its process.
func TestConfirmationsOfNothing(t *testing.T) {
	t.Parallel()
	m := start(t, fmt.Sprintf("redis://127.0.0.1:%d?push", pretend(t, func(_ int, words []string) string {
		switch {
		case words[0] == "SUBSCRIBE":
			return confirmed
		case words[0] == "GET" && words[1] == "gosess:push": // by who listens
			return confirmed + "_\r\n"
		}
		return ""
	})))
	m.waitSays("where something else was asked for")
}
