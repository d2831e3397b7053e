// Package journal writes the agent's log lines: to standard error, one line a minute for each cause at
// the most, and in systemd's journal with the priority that sd-daemon(3) describes.
package journal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Every is for how long a cause is silent after a line.
const Every = time.Minute

// The priorities of sd-daemon(3) that are used.
const (
	failure = 3
	notice  = 5
)

// Log writes lines. It is safe for concurrent use.
type Log struct {
	out      io.Writer
	priority bool // lines begin with one: the journal reads it
	now      func() time.Time

	mu     sync.Mutex // protects causes and the order of lines
	causes map[string]*cause
}

// A cause is why lines are written.
type cause struct {
	last   time.Time // of its last line
	silent int       // how many have been left out since
}

// New makes a log. It is told by JOURNAL_STREAM, which systemd sets, whether the journal reads it.
func New(out io.Writer, getenv func(string) string) *Log {
	return &Log{out: out, priority: getenv("JOURNAL_STREAM") != "", now: time.Now, causes: map[string]*cause{}}
}

// Failure says that something does not work. The cause is a word that stays the same, whatever the text is.
func (l *Log) Failure(cause, format string, arguments ...any) {
	l.line(failure, cause, format, arguments)
}

// Notice says that something has begun, ended or works again.
func (l *Log) Notice(cause, format string, arguments ...any) {
	l.line(notice, cause, format, arguments)
}

func (l *Log) line(priority int, name, format string, arguments []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.causes[name]
	if c == nil {
		c = &cause{}
		l.causes[name] = c
	}
	now := l.now()
	if !c.last.IsZero() && now.Sub(c.last) < Every {
		c.silent++
		return
	}
	// One line, whatever a server's answer has in it.
	text := strings.Map(printable, fmt.Sprintf(format, arguments...))
	if c.silent > 0 {
		text += fmt.Sprintf(" (%d lines like it left out)", c.silent)
	}
	*c = cause{last: now}
	begin := ""
	if l.priority {
		begin = fmt.Sprintf("<%d>", priority)
	}
	fmt.Fprintf(l.out, "%sgosess-agent: %s\n", begin, text)
}

func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return ' '
	}
	return r
}
