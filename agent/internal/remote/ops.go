package remote

import (
	"errors"
	"strconv"
	"time"

	"github.com/valkey-io/valkey-go"

	"gosess/agent/internal/far"
)

// Do does operations, in one pipeline for each server.
func (c *Client) Do(ops []far.Op) {
	now := c.now()
	var at []int // which operation a command is of
	results, err := c.do(func(b valkey.Builder) []valkey.Completed {
		commands := make([]valkey.Completed, 0, len(ops))
		for i := range ops {
			for _, command := range c.commands(b, &ops[i], now) {
				commands, at = append(commands, command), append(at, i)
			}
		}
		return commands
	})
	for i := range ops {
		ops[i].Found, ops[i].Err = false, err
	}
	for i, result := range results {
		c.finish(&ops[at[i]], result, now.Unix())
	}
}

// Ask has operations done that get or take, without waiting for them, and calls done then.
func (c *Client) Ask(ops []far.Op, done func()) {
	l := c.link.Load()
	if l == nil || l.direct == nil {
		go func() {
			c.Do(ops)
			done()
		}()
		return
	}
	l.direct.ask(ops, func() {
		for i := range ops {
			if why, ok := ops[i].Err.(refusal); ok {
				ops[i].Err = c.refused(l, why)
			}
		}
		done()
	})
}

// replace puts a value under a key where there is none or a certain one, and returns what is there then.
const replace = `local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[1] then return there end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return ARGV[2]`

// commands are those of one operation: none for an entry that has ended.
func (c *Client) commands(b valkey.Builder, op *far.Op, now time.Time) []valkey.Completed {
	key := c.keys.of(op.Key)
	switch op.Kind {
	case far.Get:
		return []valkey.Completed{b.Get().Key(key).Build()}
	case far.Take:
		return []valkey.Completed{b.Getdel().Key(key).Build()}
	case far.Remove:
		return []valkey.Completed{b.Unlink().Key(key).Build()}
	case far.Push:
		return []valkey.Completed{c.push.command(b, valkey.BinaryString(op.Message))}
	}
	// To the end of its last second, by the clock that it was made with: the store's may be another.
	left := time.Unix(int64(op.Entry.Expires)+1, 0).Sub(now).Milliseconds()
	if left <= 0 {
		return nil
	}
	value := valkey.BinaryString(op.Entry.Append(make([]byte, 0, 16+len(op.Entry.Sealed))))
	if op.Kind == far.Put {
		return []valkey.Completed{b.Set().Key(key).Value(value).PxMilliseconds(left).Build()}
	}
	if op.Kind == far.Replace {
		return []valkey.Completed{b.Eval().Script(replace).Numkeys(1).Key(key).Arg(valkey.BinaryString(op.There), value, number(left)).Build()}
	}
	return []valkey.Completed{
		b.Set().Key(key).Value(value).Nx().PxMilliseconds(left).Build(),
		b.Get().Key(key).Build(),
	}
}

// finish reads the answer to one command.
func (c *Client) finish(op *far.Op, result valkey.ValkeyResult, now int64) {
	err := result.Error()
	if errors.Is(err, valkey.Nil) {
		return // nothing there, or of NX something: the GET behind it says what
	}
	if err != nil {
		if op.Err == nil {
			op.Err = c.verdict(c.link.Load(), err)
		}
		return
	}
	if op.Kind == far.Put || op.Kind == far.Remove || op.Kind == far.Push {
		return
	}
	value, err := result.AsBytes()
	if err != nil || op.Kind == far.Add && string(value) == "OK" {
		return
	}
	if op.Kind == far.Add {
		op.There = value
	}
	op.Entry, op.Found = far.Parse(value, now)
}

// Post appends an event to the stream of the fleet.
func (c *Client) Post(event far.Event) error {
	results, err := c.do(func(b valkey.Builder) []valkey.Completed {
		return []valkey.Completed{b.Arbitrary("XADD").Keys(c.keys.log).
			Args("MAXLEN", "~", number(far.LogLength), "*", "e", valkey.BinaryString(event.Append(nil))).Build()}
	})
	if err != nil {
		return err
	}
	if err := results[0].Error(); err != nil {
		return c.verdict(c.link.Load(), err)
	}
	return nil
}

// sinceMost is how many events one call returns.
const sinceMost = 500

// Since reads the stream of the fleet behind a position.
func (c *Client) Since(position string) (events []far.Event, next string, gap far.Gap, err error) {
	from := "-"
	if position != "" {
		from = position // and with it the event there, which shows that none is missing
	}
	results, err := c.do(func(b valkey.Builder) []valkey.Completed {
		return []valkey.Completed{b.Xrange().Key(c.keys.log).Start(from).End("+").Count(sinceMost).Build()}
	})
	if err != nil {
		return nil, position, far.None, err
	}
	entries, err := results[0].AsXRange()
	if err != nil {
		return nil, position, far.None, c.verdict(c.link.Load(), err)
	}
	if position != "" && (len(entries) == 0 || entries[0].ID != position) {
		gap, err = c.gapAt(position)
		return nil, position, gap, err
	}
	next = position
	for i, entry := range entries {
		if i == 0 && position != "" && entry.ID == position {
			continue
		}
		next = entry.ID
		if event, ok := far.ParseEvent([]byte(entry.FieldValues["e"])); ok {
			events = append(events, event)
		}
	}
	return events, next, far.None, nil
}

// gapAt says what the stream has lost, which has nothing at a position.
func (c *Client) gapAt(position string) (far.Gap, error) {
	results, err := c.do(func(b valkey.Builder) []valkey.Completed {
		return []valkey.Completed{b.Xrange().Key(c.keys.log).Start("-").End(position).Count(1).Build()}
	})
	if err != nil {
		return far.None, err
	}
	older, err := results[0].AsXRange()
	if err != nil {
		return far.None, c.verdict(c.link.Load(), err)
	}
	if len(older) > 0 {
		return far.Tail, nil
	}
	return far.All, nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// Shard is a number for the server that has a key, or the log where there is none; -1 without a cluster, and where that is not known.
func (c *Client) Shard(key *far.Key) int {
	p := c.shards.known.Load()
	if p == nil {
		return -1
	}
	name := c.keys.log
	if key != nil {
		name = c.keys.of(*key)
	}
	return int(p.of[slotOf(name)])
}
