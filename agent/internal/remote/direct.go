package remote

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gosess/agent/internal/far"
)

// A direct connection has what servers wait for: the goroutine that asks writes, and one thread sleeps until there are answers. So two threads of the agent are woken
// for a question, and not the four or five of the library's goroutines. It knows two commands, and no cluster: all else is the library's.
type direct struct {
	conn    io.ReadWriter
	address string
	keys    keys
	failed  func(error)

	mu    sync.Mutex // protects what follows, and writing
	text  []byte
	asked []question // in their order, which is that of the answers
	ended bool
}

// A question is operations that were asked for together.
type question struct {
	ops  []far.Op
	have int // answers
	done func()
}

// mostAsked is how many questions wait for answers at most.
const mostAsked = 1024

// A refusal is an error that the store answers with, without the word ERR.
type refusal string

func (r refusal) Error() string { return string(r) }

// begin says as which user the agent asks, and of which database.
func (d *direct) begin(in *bufio.Reader, user, password string, database int) error {
	var commands [][]string
	switch {
	case user != "":
		commands = append(commands, []string{"AUTH", user, password})
	case password != "":
		commands = append(commands, []string{"AUTH", password})
	}
	commands = append(commands, []string{"CLIENT", "SETNAME", "gosess-agent"})
	if database != 0 {
		commands = append(commands, []string{"SELECT", strconv.Itoa(database)})
	}
	var text []byte
	for _, words := range commands {
		text = appendCommand(text, words...)
	}
	if _, err := d.conn.Write(text); err != nil {
		return err
	}
	var first error
	for range commands {
		_, _, err := readReply(in)
		if first == nil {
			first = err
		}
	}
	return first
}

func appendCommand(text []byte, words ...string) []byte {
	text = append(strconv.AppendInt(append(text, '*'), int64(len(words)), 10), "\r\n"...)
	for _, word := range words {
		text = append(strconv.AppendInt(append(text, '$'), int64(len(word)), 10), "\r\n"...)
		text = append(append(text, word...), "\r\n"...)
	}
	return text
}

// readReply reads an answer: bytes, nothing, or a refusal.
func readReply(in *bufio.Reader) (value []byte, found bool, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, false, err
	}
	if len(line) < len("+\r\n") {
		return nil, false, errors.New("an answer without its end")
	}
	switch text := line[1 : len(line)-2]; line[0] {
	case '+', '_':
		return nil, false, nil
	case '-':
		return nil, false, refusal(strings.TrimPrefix(string(text), "ERR "))
	case '$':
		length, err := strconv.Atoi(string(text))
		if err != nil || length < 0 {
			return nil, false, err
		}
		if length > maxString { // of which a guarded connection lets none through
			return nil, false, errLimits
		}
		value = make([]byte, length+len("\r\n"))
		_, err = io.ReadFull(in, value)
		return value[:length], err == nil, err
	}
	return nil, false, fmt.Errorf("an answer that begins with %q, which none does that was asked for", line[0])
}

// ask has operations done that get or take, and calls done then, on this goroutine where nothing can be sent.
func (d *direct) ask(ops []far.Op, done func()) {
	if len(ops) == 0 {
		done()
		return
	}
	err := d.send(question{ops: ops, done: done})
	switch {
	case errors.Is(err, far.ErrAway):
		for i := range ops {
			ops[i].Found, ops[i].Err = false, err
		}
		done()
	case err != nil:
		d.fail(err)
	}
}

func (d *direct) send(q question) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || len(d.asked) == mostAsked {
		return far.ErrAway
	}
	d.text = d.text[:0]
	for i := range q.ops {
		command := "GET"
		if q.ops[i].Kind == far.Take {
			command = "GETDEL"
		}
		d.text = appendCommand(d.text, command, d.keys.of(q.ops[i].Key))
	}
	d.asked = append(d.asked, q) // before the answer can come
	_, err := d.conn.Write(d.text)
	return err
}

// listen reads the answers, until the connection ends.
func (d *direct) listen(in *bufio.Reader) {
	for {
		value, found, err := readReply(in)
		refused, isRefused := err.(refusal)
		if err != nil && !isRefused {
			d.fail(err)
			return
		}
		answer := far.Op{}
		if isRefused {
			answer.Err = refused
		} else if found {
			answer.Entry, answer.Found = far.Parse(value, time.Now().Unix())
		}
		done, goesOn := d.answer(&answer)
		if !goesOn {
			return // somebody who asked has found that the connection is no more
		}
		if done != nil {
			done()
		}
	}
}

// answer says what became of the operation that the next answer is of, and returns what to call after the last one of a question. There is one, as a
// guarded connection ends at more answers than commands; but where all callers were told that there will be none nobody may write to their
// operations any more.
func (d *direct) answer(answer *far.Op) (done func(), goesOn bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || len(d.asked) == 0 {
		return nil, false
	}
	q := &d.asked[0]
	op := &q.ops[q.have]
	op.Entry, op.Found, op.Err = answer.Entry, answer.Found, answer.Err
	if q.have++; q.have == len(q.ops) {
		done = q.done
		d.asked = slices.Delete(d.asked, 0, 1)
	}
	return done, true
}

// fail ends the connection, and answers all callers that wait.
func (d *direct) fail(err error) {
	d.failed(err)
	d.mu.Lock()
	left := d.asked
	d.asked, d.ended = nil, true
	d.mu.Unlock()
	for _, q := range left {
		for i := q.have; i < len(q.ops); i++ {
			q.ops[i].Found, q.ops[i].Err = false, far.ErrLost
		}
		q.done()
	}
}
