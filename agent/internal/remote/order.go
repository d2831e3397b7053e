package remote

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// An order compares answers with commands, on a connection that subscribes to channels. A subscription is answered by messages, one for each channel, of which
// the library takes the first for the answer to the command that is next: one that is no subscription, or none, ends its process. It sends PING behind
// UNSUBSCRIBE, whose messages it does not wait for, and wants the answer to that.
type order struct {
	mu            sync.Mutex
	commands      int // but for the end of subscriptions
	answers       int
	subscriptions []awaited // which have no answer
	pings         []awaited // the same
	confirmations int       // to come, of the last subscription that has
	refused       bool      // the end of a subscription was
}

// awaited is the number of a command.
type awaited struct{ number, channels int }

var (
	confirmations = []string{"subscribe", "psubscribe", "ssubscribe"}
	endings       = []string{"unsubscribe", "punsubscribe", "sunsubscribe"}
)

// asked is told of each command.
func (o *order) asked(command value) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	name := strings.ToLower(command.name)
	if slices.Contains(endings, name) {
		o.pings = append(o.pings, awaited{number: o.commands + 1})
		return nil
	}
	o.commands++
	if slices.Contains(confirmations, name) {
		o.subscriptions = append(o.subscriptions, awaited{o.commands, command.elements - 1})
	}
	return nil
}

// answered is told of each answer and message, and returns what is wrong with it.
func (o *order) answered(v value) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	pushed, isError := v.kind == '>', v.kind == '-' || v.kind == '!'
	confirms, ends := v.elements > 0 && slices.Contains(confirmations, v.name), v.elements > 0 && slices.Contains(endings, v.name)
	isNext := func(of []awaited) bool { return len(of) > 0 && of[0].number == o.answers+1 }
	subscription, ping := isNext(o.subscriptions), isNext(o.pings)
	switch {
	case v.kind == '|' || !pushed && (confirms || ends):
		return errors.New("an answer that no server gives who speaks RESP3")
	case o.confirmations > 0 && (confirms || ends):
		o.confirmations--
		return nil
	case pushed && !confirms:
		return nil
	case ping && isError && !o.refused && !standsForPong(v.name):
		o.refused = true
		return nil
	case confirms != subscription && !isError, ping && v.name != "PONG":
		return fmt.Errorf("%.20q, where something else was asked for", v.name)
	}
	if o.answers++; o.answers > o.commands {
		return fmt.Errorf("%d answers to %d commands", o.answers, o.commands)
	}
	if confirms {
		o.confirmations = o.subscriptions[0].channels - 1
	}
	if subscription {
		o.subscriptions = slices.Delete(o.subscriptions, 0, 1)
	}
	if ping {
		o.pings, o.refused = slices.Delete(o.pings, 0, 1), false
	}
	return nil
}

// standsForPong reports whether the library takes an error for the answer to PING, and with it what is said of UNSUBSCRIBE.
func standsForPong(text string) bool {
	return strings.HasPrefix(text, "LOADING") || strings.HasPrefix(text, "BUSY") || strings.Contains(text, "'ping'")
}
