package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Expectation is what the caller wants to hold.
type Expectation struct {
	text  string
	fact  fact
	holds func(value float64) bool
	bound float64
}

// A fact is something that can be expected. It is a number: of percent, seconds or things, or 1 for yes.
type fact struct {
	name  string
	yesNo bool
	of    func(r *Report) (value float64, known bool)
}

var facts = []fact{
	{"resumed", false, func(r *Report) (float64, bool) { return least(r, "tls12-ticket", "tls13") }}, // as nearly all clients
	{"tls12-id", false, func(r *Report) (float64, bool) { return least(r, "tls12-id") }},
	{"tls12-ticket", false, func(r *Report) (float64, bool) { return least(r, "tls12-ticket") }},
	{"tls13", false, func(r *Report) (float64, bool) { return least(r, "tls13") }},
	{"lifetime", false, shortestHint},
	{"keys", false, func(r *Report) (float64, bool) { return float64(len(r.Keys.Keys)), r.Keys.NameBytes > 0 }},
	{"key-age", false, oldestKey},
	{"default-key", true, func(r *Report) (float64, bool) { return yes(r.Keys.Default != ""), true }},
	{"renewed", true, func(r *Report) (float64, bool) {
		way := r.way("tls13")
		return yes(way != nil && way.Renewed > 0), way != nil && way.All().Resumed > 0
	}},
	{"twice", true, func(r *Report) (float64, bool) { return yes(r.Reuse != nil && r.Reuse.Twice), r.Reuse != nil }},
	{"early-data", true, func(r *Report) (float64, bool) { return yes(r.Reuse != nil && r.Reuse.Accepted), true }},
	{"replayable", true, func(r *Report) (float64, bool) {
		return yes(r.Reuse != nil && (r.Reuse.Replayed || r.Reuse.ReplayOther)), true
	}},
	{"crosses-names", true, func(r *Report) (float64, bool) { return yes(len(judgeCrossings(r)) > 0), true }},
	{"addresses", false, func(r *Report) (float64, bool) { return float64(len(r.Addresses)), true }},
	{"faults", false, func(r *Report) (float64, bool) { return float64(r.Faults()), true }},
}

func yes(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// least is the smallest percentage of these ways, of those that the server speaks.
func least(r *Report, names ...string) (percent float64, known bool) {
	percent = 100
	for _, name := range names {
		if way := r.way(name); way != nil && way.Spoken {
			percent, known = min(percent, way.Percent()), true
		}
	}
	return percent, known
}

func shortestHint(r *Report) (seconds float64, known bool) {
	for _, way := range r.Ways {
		if hint := time.Duration(way.Hint).Seconds(); hint > 0 && (!known || hint < seconds) {
			seconds, known = hint, true
		}
	}
	return seconds, known
}

func oldestKey(r *Report) (seconds float64, known bool) {
	for _, key := range r.Keys.Keys {
		if key.FirstSeen != nil {
			seconds = max(seconds, r.When.Sub(*key.FirstSeen).Seconds())
		}
	}
	return seconds, r.Since != nil
}

var comparisons = []struct {
	sign  string
	holds func(value, bound float64) bool
}{
	{">=", func(value, bound float64) bool { return value >= bound }},
	{"<=", func(value, bound float64) bool { return value <= bound }},
	{"=", func(value, bound float64) bool { return value == bound }},
	{">", func(value, bound float64) bool { return value > bound }},
	{"<", func(value, bound float64) bool { return value < bound }},
}

// ParseExpectation reads an expectation: resumed>=99, replayable=no, key-age<86400.
func ParseExpectation(text string) (Expectation, error) {
	at := strings.IndexAny(text, "<>=")
	if at < 0 {
		return Expectation{}, fmt.Errorf("%q expects nothing: write it like resumed>=99", text)
	}
	n := slices.IndexFunc(facts, func(f fact) bool { return f.name == text[:at] })
	if n < 0 {
		return Expectation{}, fmt.Errorf("%q is not known; allowed: %s", text[:at], strings.Join(FactNames(), ", "))
	}
	e := Expectation{text: text, fact: facts[n]}
	for _, comparison := range comparisons {
		rest, found := strings.CutPrefix(text[at:], comparison.sign)
		if !found {
			continue
		}
		bound, err := e.parseBound(comparison.sign, rest)
		e.bound = bound
		e.holds = func(value float64) bool { return comparison.holds(value, bound) }
		return e, err
	}
	return Expectation{}, fmt.Errorf("%q: allowed are >=, <=, =, > and <", text)
}

func (e Expectation) parseBound(sign, text string) (float64, error) {
	if e.fact.yesNo {
		if sign != "=" || text != "yes" && text != "no" {
			return 0, fmt.Errorf("%q: allowed: %s=yes, %s=no", e.text, e.fact.name, e.fact.name)
		}
		return yes(text == "yes"), nil
	}
	if bound, err := strconv.ParseFloat(text, 64); err == nil && bound >= 0 {
		return bound, nil
	}
	if duration, err := time.ParseDuration(text); err == nil && duration >= 0 {
		return duration.Seconds(), nil
	}
	return 0, fmt.Errorf("%q: %q is no number", e.text, text)
}

// FactNames are what can be expected.
func FactNames() []string {
	var names []string
	for _, f := range facts {
		names = append(names, f.name)
	}
	return names
}

// judge says what has become of expectations. What was not found out does not hold.
func judge(r *Report, expectations []Expectation) []Judged {
	judged := []Judged{}
	for _, e := range expectations {
		value, known := e.fact.of(r)
		found := strconv.FormatFloat(value, 'f', -1, 64)
		switch {
		case !known:
			found = "not known"
		case e.fact.yesNo && value > 0:
			found = "yes"
		case e.fact.yesNo:
			found = "no"
		}
		judged = append(judged, Judged{e.text, known && e.holds(value), found})
	}
	return judged
}

// attemptsWanted is how many attempts tell what is expected from what is not: one bad machine of ten, where nothing is said.
func attemptsWanted(expectations []Expectation) int {
	const usual, most = 0.1, 0.01
	spoilt := usual
	for _, e := range expectations {
		switch e.fact.name {
		case "resumed", "tls12-id", "tls12-ticket", "tls13":
			spoilt = min(spoilt, 1-e.bound/100)
		}
	}
	return attemptsFor(max(spoilt, most))
}
