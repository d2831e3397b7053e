package monitor

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"gosess/internal/metrics"
	"gosess/internal/span"
	"gosess/sessioncache"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var page = template.Must(template.New("page").Parse(pageText))

// policy lets the page have its one style and its empty icon, and nothing from anywhere.
var policy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}()

// view is what the page shows.
type view struct {
	Style   template.CSS
	Version string
	Now     string
	Stores  []storeView
}

// storeView is what it shows of a store.
type storeView struct {
	ID, Name string
	Readable bool
	Findings []finding
	Facts    []fact
	Plots    []plot
	Misses   []bar
	Agent    []bar  // of a fleet
	Secrets  []line // where tickets are sealed under some
	Contexts []line
	Workers  []line
}

type fact struct{ Name, Value string }

// bar is a part of all, with how wide it is of 100.
type bar struct {
	Name, Help string
	Count      uint64
	Width      int
}

// line is one of a table.
type line struct {
	Name  string
	Ended bool
	Cells []string
}

// writePage looks at all stores, and shows the last hour of them.
func (m *Monitor) writePage(out io.Writer, now time.Time) error {
	m.look(now, false)
	m.mu.Lock()
	v := view{Style: template.CSS(pageStyle), Version: m.Version, Now: now.Format("2006-01-02 15:04:05")}
	for i, w := range m.watched {
		v.Stores = append(v.Stores, w.view("store"+strconv.Itoa(i+1), now, m.Version))
	}
	m.mu.Unlock()
	return page.Execute(out, v)
}

func (w *watched) view(id string, now time.Time, program string) storeView {
	s := &w.last.Stats
	v := storeView{ID: id, Name: w.Name, Readable: w.last.Err == nil}
	age, keyKnown := w.keyAge(now)
	v.Findings = find(&w.last, w.total(), w.Key, age, program)
	if !v.Readable {
		return v
	}
	v.Facts = []fact{
		{"Sessions", strconv.FormatUint(s.Entries, 10)},
		{"Room used", withUnit(100*part(s.Used, s.Capacity), "%")},
		{"Size", withUnit(float64(s.Size)/(1<<20), "MiB")},
		{"Made", span.Words(now.Unix()-s.Created) + " ago"},
	}
	if s.Entries > 0 {
		v.Facts = append(v.Facts, fact{"Oldest session", span.Words(now.Unix() - s.Oldest)})
	}
	if keyKnown {
		v.Facts = append(v.Facts, fact{"Sealing key", "changed " + span.Words(int64(age/time.Second)) + " ago"})
	}
	if s.Agent != nil {
		v.Facts = append(v.Facts, ofFleet(s.Agent)...)
		v.Agent = asked(s.Agent)
	}
	for i, secret := range s.Secrets {
		v.Secrets = append(v.Secrets, secretLine(i+1, &secret, now))
	}
	v.Plots = w.plots(id)
	total := w.total()
	c := total.counters
	for reason := metrics.Missed.First; reason <= metrics.Missed.Last; reason++ {
		b := bar{metrics.Missed.Name(reason), strings.TrimPrefix(sessioncache.Descriptions[reason].Help, "misses: "), c[reason], 0}
		if all := c[sessioncache.Misses]; all > 0 {
			b.Width = int(100 * c[reason] / all)
		}
		v.Misses = append(v.Misses, b)
	}
	for _, context := range metrics.ByLabel(s) {
		v.Contexts = append(v.Contexts, line{context.Label, false, cells(&context.Counters)})
	}
	for i := range s.Workers {
		worker := &s.Workers[i]
		more := []string{worker.Versions.GosessText(), worker.Versions.LibsslText(), span.Words(now.Unix()-worker.Started) + " ago"}
		v.Workers = append(v.Workers, line{workerName(worker), !worker.Live, append(cells(&worker.Counters), more...)})
	}
	return v
}

func workerName(w *sessioncache.Worker) string {
	name := strconv.Itoa(w.PID)
	if w.IsAgent() {
		name += " (agent)"
	}
	return name
}

// ofFleet is how the agent is.
func ofFleet(a *sessioncache.Agent) []fact {
	is := "none"
	switch {
	case a.Serves && a.GateOpen:
		is = "serves"
	case a.Serves:
		is = "gate closed"
	}
	return []fact{
		{"Agent", is},
		{"Handshakes that wait for it", strconv.FormatUint(a.Waiting, 10)},
		{"News not delivered", strconv.FormatUint(a.Queue, 10)},
	}
}

// asked is what has become of what servers have asked the agent, and what was lost.
func asked(a *sessioncache.Agent) (all []bar) {
	for _, counts := range [][]metrics.AgentCount{metrics.AgentAnswers, metrics.AgentLosses} {
		for _, c := range counts {
			all = append(all, bar{Name: c.Name, Help: c.Help, Count: c.Value(a)})
		}
	}
	return all
}

// secretLine is what a store shows of a secret: when it was made, how long it will be used, and for how much it was.
func secretLine(number int, s *sessioncache.Secret, now time.Time) line {
	return line{Name: strconv.Itoa(number), Cells: []string{
		span.Words(now.Unix()-s.Made) + " ago",
		"in " + span.Words(s.Ends-now.Unix()),
		strconv.FormatUint(s.Tally[sessioncache.TallyMade], 10),
		strconv.FormatUint(s.Tally[sessioncache.TallyAccepted], 10),
	}}
}

// keyAge is how long ago the file of the keys was written.
func (w *watched) keyAge(now time.Time) (age time.Duration, known bool) {
	if w.Key == "" {
		return 0, false
	}
	info, err := os.Stat(w.Key)
	if err != nil {
		return 0, false
	}
	return now.Sub(info.ModTime()), true
}

func cells(c *sessioncache.Counters) []string {
	number := func(c uint64) string { return strconv.FormatUint(c, 10) }
	return []string{
		number(c[sessioncache.Hits]), number(c[sessioncache.Misses]),
		withUnit(ratio(c[sessioncache.Hits], c[sessioncache.Misses]), "%"), number(c[sessioncache.Stores]),
	}
}

func part(of, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(of) / float64(whole)
}

// plots are those of the last hour.
func (w *watched) plots(id string) []plot {
	all, _ := w.deltas()
	ratios := []series{each("lookups", all, func(d *delta) float64 {
		return ratio(d.counters[sessioncache.Hits], d.counters[sessioncache.Misses])
	})}
	plots := []plot{
		makePlot(id+"-rate", "Lookups that found their session, and not", "/s", 0, each("hits", all, rate(sessioncache.Hits)), each("misses", all, rate(sessioncache.Misses))),
	}
	if len(w.last.Stats.Secrets) > 0 {
		ratios = append(ratios, each("tickets", all, func(d *delta) float64 {
			return ratio(d.counters[sessioncache.TicketsAccepted], metrics.NotAccepted.Sum(&d.counters))
		}))
		plots = append(plots, makePlot(id+"-tickets", "Tickets accepted, and not", "/s", 0,
			each("accepted", all, rate(sessioncache.TicketsAccepted)),
			each("not accepted", all, func(d *delta) float64 { return float64(metrics.NotAccepted.Sum(&d.counters)) / d.seconds })))
	}
	return append(plots,
		makePlot(id+"-ratio", "Of what was offered, resumed", "%", 100, ratios...),
		makePlot(id+"-latency", "Time of an operation, 99 % are below", "us", 0,
			each("get", all, micros(sessioncache.Get, 0.99)), each("put", all, micros(sessioncache.Put, 0.99))),
		makePlot(id+"-fill", "Room used", "%", 100, each("fill", all, func(d *delta) float64 { return 100 * d.fill })),
		makePlot(id+"-age", "Age of what made way", "s", 0, each("age", all, evictionAge)),
	)
}
