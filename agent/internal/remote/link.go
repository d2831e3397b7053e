package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/valkey-io/valkey-go"

	"gosess/agent/internal/options"
	"gosess/agent/internal/system"
)

// How long is waited for a store, at most: what is longer is a fault.
const (
	dialPatience  = time.Second     // for a connection
	helloPatience = 2 * time.Second // for TLS, and for the first answer: four ways there and back
)

// A link is one use of the client library: it is made, serves until the first fault, and is given up whole with all
// its connections. So whatever the library would do after a fault it has no chance to do.
type link struct {
	client valkey.Client
	direct *direct    // nil with a cluster
	faults chan error // has the first one
	failed func(error)

	mu    sync.Mutex // protects conns and ended
	conns map[*guarded]struct{}
	ended bool
}

// A target is what links are made to.
type target struct {
	far     options.Far
	secrets options.Secrets
}

// dial makes a link to some of the hosts. Push says that messages are expected on its connections, for subscriptions and
// from sentinels.
func (c target) dial(hosts []string, push bool) (*link, error) {
	l := &link{faults: make(chan error, 1), conns: map[*guarded]struct{}{}}
	l.failed = l.fault
	option := valkey.ClientOption{
		InitAddress: hosts,
		SelectDB:    c.far.Database,
		Username:    c.far.User,
		Password:    string(c.secrets.Password),
		ClientName:  "gosess-agent",
		TLSConfig:   c.secrets.TLS,
		Dialer:      net.Dialer{Timeout: helloPatience, KeepAlive: time.Second},
		// The library notices by itself that a server is silent: a PING each second, and a second for its answer.
		ConnWriteTimeout: time.Second,
		DialCtxFn: func(ctx context.Context, address string, _ *net.Dialer, config *tls.Config) (net.Conn, error) {
			return l.connect(ctx, address, c.far.Unix, config, nil, push || c.far.Sentinel != "")
		},
		// One connection a server, with small buffers, and no cache in the library.
		PipelineMultiplex: -1, RingScaleEachConn: ringScale, ReadBufferEachConn: 16 << 10, WriteBufferEachConn: 16 << 10,
		DisableCache: true, AlwaysPipelining: true,
		// What has been sent is sent once: a session for a single use must not come back.
		DisableRetry:      true,
		ForceSingleClient: !c.far.Cluster && c.far.Sentinel == "",
		ClientSetInfo:     valkey.DisableClientSetInfo,
	}
	option.ClusterOption.MaxMovedRedirections = 3
	option.ClusterOption.ShardsRefreshInterval = 5 * time.Second
	if c.far.Sentinel != "" {
		option.Sentinel = valkey.SentinelOption{MasterSet: c.far.Sentinel, Password: string(c.secrets.SentinelPassword),
			TLSConfig: c.secrets.TLS, Dialer: option.Dialer, TopologyRefreshInterval: 2 * time.Second}
	}
	client, err := newClient(option)
	if err != nil {
		l.end()
		return nil, l.reason(err)
	}
	l.client = client
	return l, nil
}

// newClient also returns what a client says that has been made in spite of it.
func newClient(option valkey.ClientOption) (client valkey.Client, err error) {
	defer func() {
		if p := recover(); p != nil {
			client, err = nil, fmt.Errorf("an answer that the client library cannot read: %v", p)
		}
	}()
	client, err = valkey.NewClient(option)
	if err == nil && option.ClusterOption.MaxMovedRedirections > 0 && !option.ForceSingleClient && option.Sentinel.MasterSet == "" &&
		client.Mode() != valkey.ClientModeCluster {
		err = errors.New("the server is no part of a cluster; allowed: a URL without cluster")
	}
	if err != nil && client != nil {
		go client.Close()
	}
	return client, err
}

// connect makes one connection, of which another kind is made unless that is nil. The address may be a name: it is looked up each time.
func (l *link) connect(ctx context.Context, address string, unix bool, config *tls.Config, made func(net.Conn) (net.Conn, error),
	push bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	network := "tcp"
	if unix {
		network = "unix"
	}
	dialer := net.Dialer{KeepAlive: time.Second}
	plain, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if made != nil {
		if plain, err = made(plain); err != nil {
			return nil, err
		}
	}
	if config != nil {
		if plain, err = secured(plain, address, config); err != nil {
			return nil, err
		}
	}
	return l.add(guard(plain, push, l.failed, l.remove))
}

// secured is a connection with TLS on it.
func secured(plain net.Conn, address string, config *tls.Config) (net.Conn, error) {
	if config.ServerName == "" {
		name, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		config = config.Clone()
		config.ServerName = name
	}
	c := tls.Client(plain, config)
	ctx, cancel := context.WithTimeout(context.Background(), helloPatience)
	defer cancel()
	if err := c.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, fmt.Errorf("TLS with %s: %w", address, err)
	}
	return c, nil
}

func (l *link) add(g *guarded) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		g.Conn.Close()
		return nil, net.ErrClosed
	}
	l.conns[g] = struct{}{}
	return g, nil
}

func (l *link) remove(g *guarded) {
	l.mu.Lock()
	delete(l.conns, g)
	l.mu.Unlock()
}

// fault reports the first thing that went wrong.
func (l *link) fault(err error) {
	select {
	case l.faults <- err:
	default:
	}
}

// reason prefers what was found wrong with a connection to what the library made of it.
func (l *link) reason(err error) error {
	select {
	case first := <-l.faults:
		return first
	default:
		return err
	}
}

// end gives the link up: each call that waits returns at once.
func (l *link) end() {
	l.mu.Lock()
	l.ended = true
	open := make([]*guarded, 0, len(l.conns))
	for g := range l.conns {
		open = append(open, g)
	}
	l.mu.Unlock()
	for _, g := range open {
		g.Close()
	}
	if l.client != nil {
		go l.client.Close() // it may wait for answers, for a second
	}
}

// notSent says of an error of the library that the command cannot have been sent.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, valkey.ErrClosing)
}

// explained is what a fault means, where the bare text does not say it.
func (c target) explained(err error) string {
	text := c.bare(err)
	if c.far.Unix && errors.Is(err, fs.ErrPermission) {
		return text + ": " + system.SocketCure(c.far.Hosts[0])
	}
	return meaning(err, text) + text
}

// bare is the text of a fault. A server may repeat what it was sent, the password too.
func (c target) bare(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", with args beginning with")
	for _, secret := range []options.Secret{c.secrets.Password, c.secrets.SentinelPassword} {
		if secret != "" {
			text = strings.ReplaceAll(text, string(secret), "(secret)")
		}
	}
	return text
}

func meaning(err error, text string) string {
	switch {
	case strings.HasPrefix(text, "WRONGPASS"), strings.HasPrefix(text, "NOAUTH"), strings.HasPrefix(text, "AUTH "):
		return "it does not accept the user or password: "
	case strings.HasPrefix(text, "NOPERM"):
		return "its ACL forbids a command that the agent needs (docs/fleet.md lists them): "
	case strings.HasPrefix(text, "MOVED"), strings.HasPrefix(text, "CROSSSLOT"):
		return "it is part of a cluster; allowed: a URL with ?cluster: "
	case strings.HasPrefix(text, "READONLY"):
		return "it is a replica, and takes nothing: "
	case strings.HasPrefix(text, "OOM"):
		return "its memory is full, and its policy is to evict nothing (maxmemory-policy): "
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time: "
	}
	return ""
}

// refusals are errors that servers have reason to answer with, each of which is a cause of log lines. All others are one: of ERR the library shows only what
// follows.
var refusals = []string{"ASK", "BUSY", "CLUSTERDOWN", "CROSSSLOT", "LOADING", "MASTERDOWN", "MISCONF", "MOVED", "NOAUTH", "NOPERM", "NOREPLICAS",
	"OOM", "READONLY", "TRYAGAIN", "WRONGPASS", "WRONGTYPE"}

// causeOf is the cause of an error that a server has answered.
func causeOf(text string) string {
	word, _, _ := strings.Cut(text, " ")
	if !slices.Contains(refusals, word) {
		word = "other"
	}
	return "far: " + word
}

// Library is what speaks with the store.
const Library = "valkey-go " + valkey.LibVer
