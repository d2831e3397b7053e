package metrics

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"gosess/sessioncache"
)

// Store is one store, as it was found. Err says why it could not be read; then it has no Stats.
type Store struct {
	Name  string
	Stats sessioncache.Stats
	Err   error
}

// Format is one of the two texts.
type Format int

// The formats.
const (
	Prometheus  Format = iota // text format 0.0.4
	OpenMetrics               // 1.0.0
)

// ContentType is what HTTP calls the format.
func (f Format) ContentType() string {
	if f == OpenMetrics {
		return "application/openmetrics-text; version=1.0.0; charset=utf-8"
	}
	return "text/plain; version=0.0.4; charset=utf-8"
}

// writer writes families of one format.
type writer struct {
	*bufio.Writer
	format Format
}

// family begins one. The name of counters is without _total, and of info without _info.
func (w *writer) family(name, kind, help string) {
	if w.format == Prometheus {
		switch kind {
		case "counter":
			name += "_total"
		case "info":
			name, kind = name+"_info", "gauge"
		}
	}
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

type label struct{ name, value string }
type labels []label

var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (w *writer) sample(name string, of labels, value float64) {
	w.WriteString(name)
	for i, l := range of {
		w.WriteString([]string{",", "{"}[b2i(i == 0)])
		// Prometheus refuses all of a scrape with a byte that is no UTF-8, which paths may have.
		w.WriteString(l.name + `="` + escaper.Replace(strings.ToValidUTF8(l.value, "\ufffd")) + `"`)
	}
	if len(of) > 0 {
		w.WriteByte('}')
	}
	w.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

func b2i(is bool) int {
	if is {
		return 1
	}
	return 0
}

func under(words string) string { return strings.ReplaceAll(words, " ", "_") }
