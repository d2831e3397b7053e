package remote

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"gosess/agent/internal/far"
)

// Node is one server of the far store, to be asked about itself.
type Node struct {
	Address string
	ask     func(words ...string) (map[string]string, error)
}

// Connect waits for a link, and returns why there is none in time.
func (c *Client) Connect(patience time.Duration) error {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		l, err := c.connect()
		if err == nil {
			c.link.Store(l)
			return nil
		}
		if time.Now().After(end) {
			return errors.New(c.explained(err))
		}
	}
}

// Disconnect ends what Connect has made.
func (c *Client) Disconnect() {
	if l := c.link.Swap(nil); l != nil {
		l.end()
	}
}

// Nodes are the servers that there are.
func (c *Client) Nodes() ([]Node, error) {
	l := c.link.Load()
	if l == nil {
		return nil, far.ErrAway
	}
	clients := l.client.Nodes()
	var nodes []Node
	for _, address := range slices.Sorted(maps.Keys(clients)) {
		client := clients[address]
		nodes = append(nodes, Node{address, func(words ...string) (map[string]string, error) {
			result := client.Do(context.Background(), client.B().Arbitrary(words...).Build())
			if text, err := result.ToString(); err == nil {
				return parseInfo(text), nil
			}
			answer, err := result.AsStrMap()
			if err != nil {
				err = errors.New(c.bare(err))
			}
			return answer, err
		}})
	}
	return nodes, nil
}

// Config is what CONFIG GET says.
func (n Node) Config(names ...string) (map[string]string, error) {
	all := map[string]string{}
	for _, name := range names { // Redis before 7 takes one
		answer, err := n.ask("CONFIG", "GET", name)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, answer)
	}
	return all, nil
}

// Info is what INFO says.
func (n Node) Info() (map[string]string, error) { return n.ask("INFO") }

func parseInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	return info
}
