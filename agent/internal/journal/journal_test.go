package journal

import (
	"bytes"
	"testing"
	"time"
)

func TestOneLineAMinuteAndCause(t *testing.T) {
	var out bytes.Buffer
	log := New(&out, func(string) string { return "" })
	now := time.Unix(1000, 0)
	log.now = func() time.Time { return now }
	log.Failure("far", "no answer from %s", "a")
	log.Failure("store", "cut short")
	log.Failure("far", "no answer from %s", "b")
	now = now.Add(Every - 1)
	log.Failure("far", "no answer from %s", "c")
	now = now.Add(1)
	log.Failure("far", "no answer from %s", "d")
	want := "gosess-agent: no answer from a\ngosess-agent: cut short\ngosess-agent: no answer from d (2 lines like it left out)\n"
	if out.String() != want {
		t.Errorf("written:\n%swanted:\n%s", &out, want)
	}
}

func TestJournal(t *testing.T) {
	var out bytes.Buffer
	log := New(&out, func(name string) string { return map[string]string{"JOURNAL_STREAM": "8:1"}[name] })
	log.Failure("a", "bad\n<0>answer")
	log.Notice("b", "fine")
	if want := "<3>gosess-agent: bad <0>answer\n<5>gosess-agent: fine\n"; out.String() != want {
		t.Errorf("written:\n%swanted:\n%s", &out, want)
	}
}
