package remote

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	"gosess/agent/internal/beat"
	"gosess/agent/internal/journal"
)

const (
	// proveEvery is how often a subscription is asked whether it is alive, and provePatience how long its answer may take.
	proveEvery    = 500 * time.Millisecond
	provePatience = 750 * time.Millisecond
	// messageAge is how old a message can be that is taken. An answer comes behind the messages that were sent before it: what is
	// taken between two answers was sent after the question of the first one, however long it has waited in buffers.
	messageAge = 2 * time.Second
	// subscribeEvery is how long is waited between two subscriptions that fail.
	subscribeEvery = 2 * time.Second
)

// A broadcast is what machines push, to each other and so to this one too.
type broadcast struct {
	target
	log      *journal.Log
	channels []string
	turn     atomic.Uint32 // of the channels
	heard    func(message []byte)
	stop     chan struct{}
}

// listen hears what is pushed, on a link of its own, until it is to stop. Of several hosts without a cluster it is the one that Client
// has found.
func (b *broadcast) listen(hosts func() []string) {
	for {
		if err := b.subscribe(hosts()); err != nil {
			b.log.Failure("push", "%s: what other machines store is not heard of at once, and is asked for when it is needed: %s", b.far, b.explained(err))
		}
		select {
		case <-b.stop:
			return
		case <-time.After(subscribeEvery):
		}
	}
}

// subscribe hears messages until something is wrong with that, and returns what; nil where it is to stop.
func (b *broadcast) subscribe(hosts []string) error {
	l, err := b.dial(hosts, true)
	if err != nil {
		return err
	}
	var hearing sync.WaitGroup
	defer hearing.Wait() // nothing is heard any more
	defer l.end()
	for _, channel := range b.channels {
		s := &subscription{link: l, channel: channel, heard: b.heard}
		hearing.Go(func() { s.hear(b.far.Cluster) })
		hearing.Go(s.prove)
	}
	select {
	case err := <-l.faults:
		return err
	case <-b.stop:
		return nil
	}
}

// command is the one that pushes a message: in a cluster by now one channel, now another.
func (b *broadcast) command(builder valkey.Builder, message string) valkey.Completed {
	channel := b.channels[b.turn.Add(1)%uint32(len(b.channels))]
	if b.far.Cluster {
		return builder.Spublish().Channel(channel).Message(message).Build()
	}
	return builder.Publish().Channel(channel).Message(message).Build()
}

// A subscription is one channel of a link, which ends with the first fault of one.
type subscription struct {
	link    *link
	channel string
	heard   func(message []byte)
	until   atomic.Int64 // messages are taken until then, in nanoseconds since begin
}

// begin is what times are counted from, by a clock that nobody sets.
var begin = time.Now()

func (s *subscription) hear(sharded bool) {
	command := s.link.client.B().Subscribe().Channel(s.channel).Build()
	if sharded {
		command = s.link.client.B().Ssubscribe().Channel(s.channel).Build()
	}
	err := s.link.client.Receive(context.Background(), command, func(m valkey.PubSubMessage) {
		if int64(time.Since(begin)) < s.until.Load() {
			s.heard([]byte(m.Message))
		}
	})
	if err == nil {
		err = errors.New("the subscription was ended by the store")
	}
	s.link.fault(err)
}

// prove asks again and again, on the connection that the messages come on, for a key of the channel's name, which nobody has.
func (s *subscription) prove() {
	for before := -int64(messageAge); ; time.Sleep(beat.Until(proveEvery)) {
		asked := int64(time.Since(begin))
		answered := make(chan error, 1)
		go func() {
			answered <- s.link.client.Do(context.Background(), s.link.client.B().Get().Key(s.channel).Build()).Error()
		}()
		var err error
		select {
		case err = <-answered:
		case <-time.After(provePatience):
			err = context.DeadlineExceeded
		}
		if err != nil && !errors.Is(err, valkey.Nil) {
			s.link.fault(err)
			return
		}
		s.until.Store(before + int64(messageAge))
		before = asked
	}
}
