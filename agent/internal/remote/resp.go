package remote

import (
	"errors"
	"fmt"
	"strings"
)

// A scanner follows a stream of RESP (the protocol of Valkey and Redis, version 2 or 3) and counts the values that have ended.
// It keeps nothing of them.
//
// The client library trusts what it reads: a length below zero, one of gigabytes, or an answer that nobody has asked for ends
// its process, or fills its memory. So all that a server sends passes through here first.
type scanner struct {
	values int  // that have ended at the top, but for pushes
	push   bool // values that nobody has asked for are allowed

	depth   int
	open    [maxDepth]int // of each array around: how many elements are to come
	pushing bool          // the value at the top is a push

	state  scanState
	kind   byte
	number int // what has been read of a length
	digits int
	minus  bool
	left   int // bytes of a string that are to come, with its end of line
	line   int // bytes of the line so far
	total  int // what the value at the top weighs so far

	weights [lastValues]int // of the last values at the top
	sum     int             // of these
	last    int             // of them

	seen  []byte   // the first bytes of an error, or of a string of a push
	parts []string // of a push: its first strings

	ended func(v value) error // is told of each value at the top that has ended, unless it is nil
	top   value
	named bool // the value at the top has its name
}

// A value is one at the top: what it begins with, how many elements it has, and its text, or of an array the first one in it.
type value struct {
	kind     byte
	name     string
	elements int
}

type scanState uint8

const (
	atKind scanState = iota
	inLine
	inLength
	inBytes
)

// What a store has reason to send. An entry has some 6 KB, a message that is pushed 64; a list of all slots of a large cluster has the most values.
// Answers may wait for others, so many of them together are bounded too: a full log of the fleet has 80 MB.
const (
	maxDepth   = 8
	maxString  = 128 << 10
	maxLine    = 4 << 10
	maxArray   = 1 << 17
	maxValue   = 16 << 20
	maxValues  = 100 << 20
	lastValues = 1024
	weight     = 64 // bytes that the library has of each value besides
	maxSeen    = 512
	maxParts   = 3
)

const (
	// ringScale is the number of pipelines, as a power of 2, that wait at one connection; maxWaiting is below that, as the
	// library waits without a deadline where there is no room.
	ringScale  = 9
	maxWaiting = 256
)

var errLimits = errors.New("an answer that is too large")

func (s *scanner) scan(text []byte) error {
	for len(text) > 0 {
		if s.state == inBytes {
			n := min(s.left, len(text))
			s.see(text[:n])
			text = text[n:]
			s.left -= n
			if s.total += n; s.total > maxValue {
				return errLimits
			}
			if s.left == 0 {
				if err := s.end(); err != nil {
					return err
				}
			}
			continue
		}
		c := text[0]
		text = text[1:]
		if s.total++; s.total > maxValue {
			return errLimits
		}
		if err := s.take(c); err != nil {
			return err
		}
	}
	return nil
}

// take reads one byte outside of a string.
func (s *scanner) take(c byte) error {
	switch s.state {
	case atKind:
		return s.begin(c)
	case inLine:
		if s.line++; s.line > maxLine {
			return errLimits
		}
		s.see([]byte{c})
		if c == '\n' {
			if s.line < 2 {
				return errors.New("a line without its end")
			}
			return s.end()
		}
	case inLength:
		return s.length(c)
	}
	return nil
}

func (s *scanner) begin(c byte) error {
	s.kind, s.line, s.number, s.digits, s.minus = c, 0, 0, 0, false
	s.seen = s.seen[:0]
	s.total += weight
	if s.depth == 0 {
		s.top, s.named = value{kind: c}, false
	}
	switch c {
	case '+', '-', ':', '_', ',', '#', '(':
		s.state = inLine
	case '$', '!', '=', '*', '~', '%', '>', '|':
		s.state = inLength
		if c == '>' {
			if !s.push || s.depth > 0 {
				return errors.New("a message that nobody has asked for")
			}
			s.pushing = true
		}
	default:
		return fmt.Errorf("byte %#02x, which begins no answer of Valkey or Redis", c)
	}
	return nil
}

func (s *scanner) length(c byte) error {
	switch {
	case c >= '0' && c <= '9':
		s.number = s.number*10 + int(c-'0')
		if s.digits++; s.digits > 9 {
			return errLimits
		}
	case c == '-' && s.digits == 0 && !s.minus:
		s.minus = true
	case c == '\r':
	case c == '\n':
		return s.sized()
	default:
		return fmt.Errorf("byte %#02x in a length", c)
	}
	return nil
}

// sized goes on behind a length.
func (s *scanner) sized() error {
	if s.digits == 0 || s.minus && s.number != 1 {
		return errors.New("a length that is none")
	}
	text := s.kind == '$' || s.kind == '!' || s.kind == '='
	switch {
	case s.minus: // nothing: RESP2's null
		if s.kind != '$' && s.kind != '*' {
			return errors.New("a length that is none")
		}
		return s.end()
	case text && s.number > maxString, !text && s.number > maxArray:
		return errLimits
	case text:
		s.state, s.left = inBytes, s.number+2
	default:
		return s.descend()
	}
	return nil
}

// descend enters an array.
func (s *scanner) descend() error {
	elements := s.number
	if s.kind == '%' || s.kind == '|' {
		elements *= 2
	}
	if s.kind == '|' {
		elements++ // the value that these are attributes of
	}
	s.state = atKind
	if elements == 0 {
		return s.end()
	}
	if s.depth == maxDepth {
		return errors.New("an answer that is too deep")
	}
	if s.depth == 0 {
		s.top.elements = elements
	}
	s.open[s.depth] = elements
	s.depth++
	return nil
}

// see keeps the beginning of what the library takes apart.
func (s *scanner) see(text []byte) {
	if s.kind == '-' || s.kind == '!' || s.pushing || s.ended != nil && s.depth <= 1 && !s.named {
		s.seen = append(s.seen, text[:min(len(text), maxSeen-len(s.seen))]...)
	}
}

// end ends a value, and the arrays that end with it.
func (s *scanner) end() error {
	s.state = atKind
	if err := s.understood(); err != nil {
		return err
	}
	for s.depth > 0 {
		s.open[s.depth-1]--
		if s.open[s.depth-1] > 0 {
			return nil
		}
		s.depth--
	}
	if !s.pushing {
		s.values++
	}
	s.last = (s.last + 1) % len(s.weights)
	s.sum += s.total - s.weights[s.last]
	if s.weights[s.last] = s.total; s.sum > maxValues {
		return errLimits
	}
	s.pushing, s.total, s.parts = false, 0, s.parts[:0]
	if s.ended != nil {
		return s.ended(s.top)
	}
	return nil
}

// understood looks at what the library splits into words without counting them.
func (s *scanner) understood() error {
	text := strings.TrimSuffix(string(s.seen), "\r\n")
	s.seen = s.seen[:0]
	if s.ended != nil && s.depth <= 1 && !s.named {
		s.top.name, s.named = text, true
	}
	switch {
	case s.kind == '-' || s.kind == '!':
		if text == "QUEUED" { // the library ends its process where it has subscribed
			return errors.New("an answer to a transaction that there is none of")
		}
		return hasWords(text, map[string]int{"MOVED": 3, "ASK": 3, "REDIRECT": 2}[firstLetters(text)])
	case s.pushing && s.depth == 1 && len(s.parts) < maxParts:
		if s.parts = append(s.parts, text); len(s.parts) == maxParts && s.parts[0] == "message" { // what a sentinel says
			return hasWords(text, map[string]int{"+sentinel": 4, "+switch-master": 5, "+reboot": 4}[s.parts[1]])
		}
	}
	return nil
}

// firstLetters is how an error begins, whatever follows: the library does not ask for a space there.
func firstLetters(text string) string {
	for _, begin := range []string{"MOVED", "ASK", "REDIRECT"} {
		if strings.HasPrefix(text, begin) {
			return begin
		}
	}
	return ""
}

func hasWords(text string, count int) error {
	if strings.Count(text, " ")+1 < count {
		return fmt.Errorf("%.80q, which lacks words", text)
	}
	return nil
}
