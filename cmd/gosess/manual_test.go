package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gosess/internal/metrics"
)

// gosess(1) says of each option what it is for: where its command is described, or before all of them.
func TestManualDescribesOptions(t *testing.T) {
	page, err := os.ReadFile("../../man/gosess.1")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(strings.ReplaceAll(string(page), `\-`, "-"), "\n.Sh DESCRIPTION\n")
	of, before := map[string]string{}, ""
	for n, part := range strings.Split(text, "\n.It Cm ") {
		name, described, _ := strings.Cut(part, "\n")
		if n == 0 {
			before = part
		}
		of[name] += described
	}
	for _, c := range table {
		for _, o := range optionsOf(&c) {
			if fl := "Fl -" + o.flag; !c.hidden && !hasWords(of[c.name], fl) && !hasWords(before, fl) {
				t.Errorf("%s --%s is not described", c.name, o.flag)
			}
			for _, choice := range choices(o.value) {
				if choice != files && !c.hidden && !strings.Contains(of[c.name]+synopsisIn(string(page), c.name), choice) {
					t.Errorf("%s --%s does not say that it may be %s", c.name, o.flag, choice)
				}
			}
		}
	}
}

// hasWords looks for words that are not the beginning of others.
func hasWords(text, words string) bool {
	return regexp.MustCompile(regexp.QuoteMeta(words) + `(?:\s|$)`).MatchString(text)
}

// operating is the operator's manual.
func operating(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The operator's manual says of each line that stats prints what it says.
func TestManualKnowsLinesOfStats(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "one"))
	if err != nil {
		t.Fatal(err)
	}
	counted(t, file)
	file.Close()
	fleetStore(t, filepath.Join(dir, "fleet"))
	seen := map[string]bool{}
	for _, store := range []string{"one", "fleet"} {
		r := gosess(t, home, nil, "stats", "shm:"+filepath.Join(dir, store))
		for line := range strings.Lines(strings.TrimSuffix(r.stdout, unused)) {
			title, _, _ := strings.Cut(line, "  ")
			if title = strings.TrimSpace(title); title != "" && !strings.HasPrefix(line, " ") {
				seen[title] = true
			}
		}
		for _, head := range []string{"context", "tickets of", "secret made", "worker"} {
			seen[head] = seen[head] || regexp.MustCompile(`(?m)^ *`+head+` `).MatchString(r.stdout)
		}
	}
	_, lines, _ := strings.Cut(operating(t), "prints, line by line:")
	lines, _, _ = strings.Cut(lines, "\n\nWhat these lines may name")
	first := ""
	for line := range strings.Lines(lines) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			first += cells[1]
		}
	}
	if len(seen) < 14 {
		t.Errorf("stats prints %v", seen)
	}
	for title, is := range seen {
		if is && !strings.Contains(first, "`"+title+"`") {
			t.Errorf("%q has no row", title)
		}
	}
}

// saidBy are the files with what is said where stats or doctor cannot say anything, or has seen nothing.
var saidBy = []string{
	"../../internal/inspect/inspect.go", "../../sessioncache/shm/header.go", "../../internal/regular/regular.go", "store.go", "doctor.go",
	"../../internal/probe/conn.go", "../../internal/probe/probe.go", "../../internal/probe/starttls.go", "../../internal/doctor/doctor.go",
	"../../internal/doctor/record.go", "../../internal/doctor/examiner.go",
}

// notSaid are parts of messages that say nothing by themselves, or are of a command line that cannot be meant, which says what is allowed.
var notSaid = []string{"no early data", "there is nothing to say in early data", "HOST:PORT is missing", "allowed", "--expect", "a number from 1 to"}

// The operator's manual says of each message what it comes from.
func TestManualKnowsWhatIsSaid(t *testing.T) {
	manual := operating(t)
	literal := regexp.MustCompile(`(?:errors\.New|fmt\.Errorf)\("((?:[^"\\]|\\.)*)"`)
	verbs := regexp.MustCompile(`%[a-z]`)
	count := 0
	for _, file := range saidBy {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range literal.FindAllStringSubmatch(string(text), -1) {
			var parts []string // of the message, which the manual has one of
			for _, part := range verbs.Split(found[1], -1) {
				for piece := range strings.SplitSeq(part, ";") {
					if piece = strings.Trim(piece, " :,()\""); strings.Contains(piece, " ") {
						parts = append(parts, piece)
					}
				}
			}
			known := func(part string) bool {
				return slices.Contains(notSaid, part) || strings.Contains(manual, part) || slices.ContainsFunc(rowsBegin(manual), func(begin string) bool { return strings.Contains(part, begin) })
			}
			if len(parts) > 0 && !slices.ContainsFunc(parts, known) {
				t.Errorf("%s says %q, which is nowhere", file, found[1])
			}
			count += len(parts)
		}
	}
	if count < 30 {
		t.Errorf("only %d messages are found", count)
	}
}

// rowsBegin are what tables of the manual quote in their first column.
func rowsBegin(manual string) (quoted []string) {
	for line := range strings.Lines(manual) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			for _, found := range regexp.MustCompile("`([^`]{6,})`").FindAllStringSubmatch(cells[1], -1) {
				quoted = append(quoted, found[1])
			}
		}
	}
	return quoted
}

// The operator's manual says of each thing that stats may name where it comes from and what changes it.
func TestManualKnowsWhatStatsNames(t *testing.T) {
	var rows []string // what is seen, of each row
	for line := range strings.Lines(operating(t)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			rows = append(rows, cells[1])
		}
	}
	wants := func(where, name string) {
		t.Helper()
		for _, row := range rows {
			if before, after, found := strings.Cut(row, where); found && strings.TrimSpace(before) == "" && strings.Contains(after+" ", name) {
				return
			}
		}
		t.Errorf("%s %s has no row", where, name)
	}
	for where, kind := range map[string]metrics.Reasons{"misses:": metrics.Missed, "kept:": metrics.Kept, "tickets: not accepted:": metrics.NotAccepted} {
		for c := kind.First; c <= kind.Last; c++ {
			wants(where, kind.Name(c))
		}
	}
	for _, c := range append(metrics.AgentAnswers[2:len(metrics.AgentAnswers):len(metrics.AgentAnswers)], metrics.AgentLosses...) {
		wants("asked it:", c.Name)
	}
	for _, seen := range []string{"evicted", "errors", "latency", "agent: none serves", "agent: the gate is closed", "No worker has used it", "a worker of another version"} {
		wants(seen, "")
	}
}
