// Package remote is a far store that is Valkey or Redis, reached through valkey-go.
package remote

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	"gosess/agent/internal/beat"
	"gosess/agent/internal/far"
	"gosess/agent/internal/journal"
	"gosess/agent/internal/options"
)

const (
	// probeEvery is how often a store is asked whether it is there, and how long its answer may take.
	probeEvery = time.Second
	// retryEvery is how long is waited between two connections that fail.
	retryEvery = 300 * time.Millisecond
	// switchEvery is how often a store that takes nothing is connected to again: its name may lead to another one by then.
	switchEvery = 2 * time.Second
	// learnEvery is after how many probes a cluster is asked where its slots are.
	learnEvery = 5
)

// Client is a far store. It connects by itself, and again after each fault.
type Client struct {
	target
	log  *journal.Log
	now  func() time.Time
	keys keys

	link    atomic.Pointer[link] // nil while there is none
	waiting atomic.Int32         // calls of the library that have not returned
	changed Changed
	push    broadcast
	shards  shards
	probed  atomic.Uint32 // how often a cluster was
	kick    chan struct{}

	stop  chan struct{}
	ended sync.WaitGroup
	first atomic.Int32 // the host that a link is tried with first
}

// Changed is told, by one goroutine, how the store is: each time that a probe was answered, when that was sent and how long its
// answer took; and that there is no connection any more.
type Changed func(up bool, began time.Time, trip time.Duration)

// New makes a client, which connects when it is started. Heard is told, by several goroutines, what machines push, this one too.
func New(f options.Far, secrets options.Secrets, log *journal.Log, changed Changed, heard func(message []byte)) *Client {
	c := &Client{target: target{f, secrets}, log: log, now: time.Now, keys: newKeys(f), changed: changed,
		kick: make(chan struct{}, 1), stop: make(chan struct{})}
	c.push = broadcast{target: c.target, log: log, channels: c.keys.channels, heard: heard, stop: c.stop}
	return c
}

// Start connects, and goes on until Close.
func (c *Client) Start() {
	c.ended.Go(c.keep)
	if c.far.Push {
		c.ended.Go(func() { c.push.listen(c.best) })
	}
}

// Close ends all connections. What waits for an answer gets none.
func (c *Client) Close() {
	close(c.stop)
	c.ended.Wait()
}

// keep has a link until the client is closed.
func (c *Client) keep() {
	for {
		l, err := c.connect()
		if err == nil {
			err = c.use(l)
			c.link.Store(nil)
			l.end()
			c.changed(false, time.Time{}, 0)
		}
		if err != nil {
			c.log.Failure("far", "%s: %s; until it is there, clients of other machines get full handshakes", c.far, c.explained(err))
		}
		select {
		case <-c.stop:
			return
		case <-time.After(retryEvery):
		}
	}
}

// use probes a link, and returns why it cannot be used any longer, nil where the client is closed.
func (c *Client) use(l *link) error {
	c.link.Store(l)
	c.log.Notice("connected", "connected to %s", c.far)
	answered := make(chan error, 1)
	for {
		began := c.now()
		go func() { answered <- c.probe(l) }()
		patience := time.After(probeEvery)
		select {
		case err := <-answered:
			if err != nil {
				return l.reason(err)
			}
		case err := <-l.faults:
			return err
		case <-patience:
			return l.reason(context.DeadlineExceeded)
		case <-c.stop:
			return nil
		}
		c.changed(true, began, c.now().Sub(began))
		select {
		case err := <-l.faults:
			return err
		case <-time.After(beat.Until(probeEvery)):
		case <-c.kick:
		case <-c.stop:
			return nil
		}
	}
}

// Probe has the store asked now whether it is there, and not only when it is time to.
func (c *Client) Probe() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// probe asks for a key that nobody has.
func (c *Client) probe(l *link) error {
	if c.far.Cluster {
		return c.probeShards(l)
	}
	var key far.Key
	rand.Read(key[:])
	return c.ask(l, key)
}

// errSwitched ends a link whose direct connection is to a server that is the primary no more, as sentinels say.
var errSwitched = errors.New("another server is the primary now")

func (c *Client) ask(l *link, key far.Key) error {
	if l.direct != nil {
		if l.client.Nodes()[l.direct.address] == nil {
			return errSwitched
		}
		ops, answered := []far.Op{{Kind: far.Get, Key: key}}, make(chan struct{})
		l.direct.ask(ops, func() { close(answered) })
		<-answered
		return ops[0].Err
	}
	err := l.client.Do(context.Background(), l.client.B().Get().Key(c.keys.of(key)).Build()).Error()
	if errors.Is(err, valkey.Nil) {
		return nil
	}
	return err
}

// probeShards is nil if one shard of the cluster answers: the others go on while one does not, or is being replaced. By now one is
// asked first, now another.
func (c *Client) probeShards(l *link) (failed error) {
	turn := int(c.probed.Add(1)) - 1
	if turn%learnEvery == 0 {
		go c.shards.learn(l.client)
	}
	count := c.shards.count()
	answers := make(chan error, count)
	asked := 0
	for i := range count {
		key := c.shards.keyOn((turn+i)%count, c.keys)
		go func() { answers <- c.ask(l, key) }()
		asked++
		select {
		case failed = <-answers:
			if asked--; failed == nil {
				return nil
			}
		case <-time.After(probeEvery / 10):
		}
	}
	for range asked {
		if failed = <-answers; failed == nil {
			return nil
		}
	}
	// Where none answers, a new link finds those that have taken over.
	return c.anyNode(l, failed)
}

// anyNode is nil if one server of the cluster answers.
func (c *Client) anyNode(l *link, failed error) error {
	for _, node := range l.client.Nodes() {
		if node.Do(context.Background(), node.B().Ping().Build()).Error() == nil {
			return nil
		}
	}
	return failed
}

// connect makes a link, with a direct connection.
func (c *Client) connect() (*link, error) {
	l, err := c.find()
	if err != nil || c.far.Cluster {
		return l, err
	}
	if err := c.openDirect(l); err != nil {
		l.end()
		return nil, l.reason(err)
	}
	return l, nil
}

// openDirect makes the direct connection of a link.
func (c *Client) openDirect(l *link) error {
	for address := range l.client.Nodes() { // there is one
		ctx, cancel := context.WithTimeout(context.Background(), helloPatience)
		defer cancel()
		conn, err := l.connect(ctx, address, c.far.Unix, c.secrets.TLS, newSocket, false)
		if err != nil {
			return err
		}
		l.direct = &direct{conn: conn, address: address, keys: c.keys, failed: l.failed}
		in := bufio.NewReaderSize(conn, 16<<10)
		giveUp := time.AfterFunc(helloPatience, func() { conn.Close() })
		err = l.direct.begin(in, c.far.User, string(c.secrets.Password), c.far.Database)
		if !giveUp.Stop() {
			err = context.DeadlineExceeded
		}
		if err != nil {
			return err
		}
		go l.direct.listen(in)
	}
	return nil
}

// find makes a link. Of several hosts without a cluster it takes the first that is no replica, or else any.
func (c *Client) find() (*link, error) {
	if c.far.Cluster || c.far.Sentinel != "" {
		return c.dial(c.far.Hosts, false)
	}
	var replica *link
	var failed error
	for i := range c.far.Hosts {
		at := (int(c.first.Load()) + i) % len(c.far.Hosts)
		l, err := c.dial(c.far.Hosts[at:at+1], false)
		if err != nil {
			failed = err
			continue
		}
		if len(c.far.Hosts) == 1 || !isReplica(l.client) {
			c.first.Store(int32(at))
			if replica != nil {
				replica.end()
			}
			return l, nil
		}
		if replica != nil {
			replica.end()
		}
		replica = l
	}
	if replica != nil {
		return replica, nil
	}
	return nil, failed
}

// best are the hosts to connect to: without a cluster the one that was connected to last.
func (c *Client) best() []string {
	if c.far.Cluster || c.far.Sentinel != "" {
		return c.far.Hosts
	}
	at := c.first.Load()
	return c.far.Hosts[at : at+1]
}

func isReplica(client valkey.Client) bool {
	role, err := client.Do(context.Background(), client.B().Role().Build()).ToArray()
	if err != nil || len(role) == 0 {
		return false // the ACL forbids to ask
	}
	name, err := role[0].ToString()
	return err == nil && name == "slave"
}

// do sends commands, and returns their answers. An error is why there are none.
func (c *Client) do(build func(valkey.Builder) []valkey.Completed) ([]valkey.ValkeyResult, error) {
	l := c.link.Load()
	if l == nil {
		return nil, far.ErrAway
	}
	if c.waiting.Add(1) > maxWaiting {
		c.waiting.Add(-1)
		return nil, far.ErrAway
	}
	defer c.waiting.Add(-1)
	commands := build(l.client.B())
	if len(commands) == 0 {
		return nil, nil
	}
	results := l.client.DoMulti(context.Background(), commands...)
	if !c.far.Cluster && c.far.Sentinel == "" {
		for _, r := range results {
			if err := r.NonValkeyError(); err != nil && !errors.Is(err, valkey.Nil) {
				l.fault(err)
				break
			}
		}
	}
	return results, nil
}

// verdict is what an error of the library means for the operation.
func (c *Client) verdict(l *link, err error) error {
	answer, answered := valkey.IsValkeyErr(err)
	switch {
	case answered:
		return c.refused(l, refusal(answer.Error()))
	case notSent(err):
		return far.ErrAway
	}
	return far.ErrLost
}

// refused is what it means that the store refuses an operation.
func (c *Client) refused(l *link, why refusal) error {
	c.log.Failure(causeOf(string(why)), "%s: %s", c.far, c.explained(why))
	if strings.HasPrefix(string(why), "READONLY") && l != nil && !c.far.Cluster {
		time.AfterFunc(switchEvery, func() { l.fault(why) })
	}
	return far.ErrRefused
}
