package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gosess/capi/settings"
	"gosess/internal/metrics"
	"gosess/internal/span"
	"gosess/sessioncache"
)

// screen is what stats --watch shows: lines that go on in another one where the terminal ends.
type screen struct {
	out           io.Writer
	columns, rows int
	lines         []string
}

func (p *screen) line(format string, values ...any) {
	const indent = "          " // below the first word of what a line has to say
	text := strings.TrimRight(fmt.Sprintf(format, values...), " ")
	for {
		runes := []rune(text)
		if len(runes) <= p.columns {
			break
		}
		end := p.columns
		for n := end; n > 2*len(indent); n-- {
			if runes[n] == ' ' {
				end = n
				break
			}
		}
		p.lines = append(p.lines, strings.TrimRight(string(runes[:end]), " "))
		if p.columns <= 2*len(indent) {
			return // there is no room for words: the rest is cut off
		}
		text = indent + strings.TrimLeft(string(runes[end:]), " ")
	}
	p.lines = append(p.lines, text)
}

// show draws the picture. What does not fit below is left out, which the last line says; the last row stays empty, where the cursor is.
func (p *screen) show(terminal bool) error {
	lines, room := p.lines, max(p.rows-1, 1)
	if len(lines) > room {
		lines = append(lines[:room-1:room-1], fmt.Sprintf("... and %d lines more", len(lines)-room+1))
	}
	text := strings.Join(lines, "\n") + "\n"
	if terminal {
		// Each line ends with what clears the rest of it, so nothing flickers (ECMA-48: CUP, EL, ED).
		text = "\x1b[H" + strings.ReplaceAll(text, "\n", "\x1b[K\n") + "\x1b[J"
	} else {
		text += "\n"
	}
	_, err := io.WriteString(p.out, text)
	return err
}

// draw has rates since the picture before, which is empty at first: then what was counted since the store was made.
func (p *screen) draw(name string, s, before *sessioncache.Stats, passed time.Duration, now time.Time) {
	first := before.Size == 0
	if first {
		passed = time.Duration(max(now.Unix()-s.Created, 1)) * time.Second
	}
	var since sessioncache.Counters
	for c := range since {
		since[c] = s.Total[c] - min(before.Total[c], s.Total[c])
	}
	rate := func(c sessioncache.Counter) float64 { return float64(since[c]) / passed.Seconds() }
	age := ""
	if s.Entries > 0 {
		age = ", oldest about " + span.Short(now.Unix()-s.Oldest)
	}
	p.line("%s  %s, %s", now.Format("15:04:05"), name, settings.SizeText(s.Size))
	p.line("%s", gauge("fill", percent(s.Used, s.Capacity), fmt.Sprintf("%d sessions%s", s.Entries, age)))
	p.line("%s", gauge("hits", hitPercent(&since), fmt.Sprintf("of %.0f lookups/s%s", rate(sessioncache.Hits)+rate(sessioncache.Misses), mean(first))))
	p.line("")
	p.line("%-9s %9.1f/s  misses %9.1f/s%s", "hits", rate(sessioncache.Hits), rate(sessioncache.Misses), because(&since, metrics.Missed))
	p.line("%-9s %9.1f/s  evictions %6.1f/s  expiries %7.1f/s  removals %6.1f/s", "stores", rate(sessioncache.Stores),
		rate(sessioncache.Evictions), rate(sessioncache.Expiries), rate(sessioncache.Removals))
	if n := since[sessioncache.Evictions]; n > 0 {
		p.line("evicted at an age of %s", span.Short(int64(since[sessioncache.EvictionAge]/n)))
	}
	if n := since[sessioncache.Errors] + since[sessioncache.TooBig]; n > 0 {
		p.line("errors %d, too big %d", since[sessioncache.Errors], since[sessioncache.TooBig])
	}
	p.line("latency   %s", latency(s))
	if accepted, not := since[sessioncache.TicketsAccepted], metrics.NotAccepted.Sum(&since); s.Total[sessioncache.TicketsMade] > 0 {
		p.line("%-9s %9.1f/s  accepted %7.1f/s  not accepted %6.1f/s%s", "tickets", rate(sessioncache.TicketsMade),
			float64(accepted)/passed.Seconds(), float64(not)/passed.Seconds(), because(&since, metrics.NotAccepted))
	}
	if s.Agent != nil {
		p.line("agent     %s", agent(s.Agent))
		p.line("asked it  %s", asked(s.Agent))
	}
	p.line("")
	p.line("%-30s %10s %10s %6s %10s", "context", "hits/s", "misses/s", "hit %", "stores/s")
	was := map[string]sessioncache.Counters{}
	for _, c := range metrics.ByLabel(before) {
		was[c.Label] = c.Counters
	}
	row := func(title string, now, then sessioncache.Counters) {
		var d sessioncache.Counters
		for c := range d {
			d[c] = now[c] - min(then[c], now[c])
		}
		p.line("%-30.30s %10.1f %10.1f %6.1f %10.1f", title, float64(d[sessioncache.Hits])/passed.Seconds(),
			float64(d[sessioncache.Misses])/passed.Seconds(), hitPercent(&d), float64(d[sessioncache.Stores])/passed.Seconds())
	}
	for i, c := range metrics.ByLabel(s) {
		if i == 5 && p.rows < 40 {
			p.line("...")
			break
		}
		row(c.Label, c.Counters, was[c.Label])
	}
	p.line("%-30s", "worker")
	ofPID := map[int]sessioncache.Counters{}
	for _, w := range before.Workers {
		ofPID[w.PID] = w.Counters
	}
	for i := range s.Workers {
		if w := &s.Workers[i]; w.Live {
			row(workerName(w), w.Counters, ofPID[w.PID])
		}
	}
}

func mean(first bool) string {
	if first {
		return ", since it was made"
	}
	return ""
}

// gauge is a bar for a part of hundred. What a store says may be anything: of more than hundred the bar is full.
func gauge(title string, part float64, more string) string {
	const width = 20
	full := int(min(part, 100)/100*width + 0.5)
	return fmt.Sprintf("%-9s %5.1f %% [%s%s] %s", title, part, strings.Repeat("#", full), strings.Repeat(".", width-full), more)
}
