package remote

import (
	"bufio"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"gosess/agent/internal/far"
	"gosess/agent/internal/testredis"
)

// TestQuestions has several ask for the same at once: each is answered what it asked for, and what is taken one of them has.
func TestQuestions(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	m := start(t, redis.URL())
	m.waitUp()
	const count, list = 200, 1
	for i := range count {
		m.put(keyOf(i), fmt.Sprint("value ", i), 1000)
	}
	redis.CLI("DEL", m.keys.of(keyOf(list)))
	redis.CLI("LPUSH", m.keys.of(keyOf(list)), "no entry")
	var taken [count]atomic.Int32
	var asking sync.WaitGroup
	for range 4 {
		for i := range count {
			kinds := []far.Kind{far.Get, far.Take}
			if i%2 == 0 { // which nobody takes
				kinds[1] = far.Get
			}
			ops := []far.Op{{Kind: kinds[0], Key: keyOf(i)}, {Kind: far.Get, Key: keyOf(i + count)}, {Kind: kinds[1], Key: keyOf(i)}}
			asking.Add(1)
			m.Ask(ops, func() {
				defer asking.Done()
				if i == list {
					if ops[0].Err != far.ErrRefused || ops[2].Err != far.ErrRefused || ops[1].Err != nil {
						t.Errorf("of a list: %+v", ops)
					}
					return
				}
				for at, op := range ops {
					if op.Err != nil || op.Found && string(op.Entry.Sealed) != fmt.Sprint("value ", i) || op.Found && at == 1 || !op.Found && at != 1 && i%2 == 0 {
						t.Errorf("of %d: %+v", i, op)
					}
				}
				if ops[2].Found {
					taken[i].Add(1)
				}
			})
		}
	}
	asking.Wait()
	for i := range count {
		if n := taken[i].Load(); i%2 == 1 && i != list && n != 1 {
			t.Errorf("%d was taken %d times", i, n)
		}
	}
}

// TestQuestionsWithoutAnswers has each of them end where the store is silent, or the connection ends.
func TestQuestionsWithoutAnswers(t *testing.T) {
	t.Parallel()
	redis := testredis.Start(t)
	p := testredis.NewProxy(t, redis.Port)
	m := start(t, p.URL())
	m.waitUp()
	m.put(keyOf(1), "one", 1000)
	p.Hold(true)
	var lost, away atomic.Int32
	var asking sync.WaitGroup
	for range 2 * mostAsked {
		asking.Add(1)
		ops := []far.Op{{Kind: far.Get, Key: keyOf(1)}, {Kind: far.Take, Key: keyOf(1)}}
		m.Ask(ops, func() {
			defer asking.Done()
			switch {
			case ops[0].Found || ops[0].Err != ops[1].Err:
				t.Errorf("answered: %+v", ops)
			case ops[0].Err == far.ErrAway:
				away.Add(1)
			case ops[0].Err == far.ErrLost:
				lost.Add(1)
			default:
				t.Errorf("%v", ops[0].Err)
			}
		})
	}
	asking.Wait()
	if lost.Load() == 0 || lost.Load() > mostAsked || away.Load() < mostAsked {
		t.Errorf("%d were lost, %d were not sent", lost.Load(), away.Load())
	}
	m.waitDown()
	p.Hold(false)
	m.waitUp()
	m.put(keyOf(2), "two", 1000)
	m.wants(far.Take, keyOf(2), "two")
}

// TestAnswersAndTheEnd has answers come while who asks finds that the connection is no more: an operation is somebody's who asked, who is told once,
// and nobody else writes to it then (which -race sees).
func TestAnswersAndTheEnd(t *testing.T) {
	t.Parallel()
	for range 2000 {
		out, in := io.Pipe()
		d := &direct{conn: struct {
			io.Reader
			io.Writer
		}{out, io.Discard}, failed: func(error) {}}
		var told atomic.Int32
		ended := make(chan struct{})
		ops := make([]far.Op, 20)
		d.ask(ops, func() {
			for i := range ops {
				ops[i].Err = io.ErrClosedPipe // as who was told may do
			}
			if told.Add(1) == 1 {
				close(ended)
			}
		})
		var listening sync.WaitGroup
		listening.Go(func() { d.listen(bufio.NewReader(out)) })
		go func() {
			for range ops {
				io.WriteString(in, "$-1\r\n")
			}
		}()
		go d.fail(io.EOF)
		<-ended
		in.Close()
		listening.Wait()
		for i := range ops {
			if ops[i].Err != io.ErrClosedPipe {
				t.Fatal("somebody has written to it")
			}
		}
		if n := told.Load(); n != 1 {
			t.Fatalf("told %d times", n)
		}
	}
}
