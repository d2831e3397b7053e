package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"gosess/internal/doctor"
)

// writeDiagnosis is a report for people: what was seen, and then what follows from it.
func writeDiagnosis(out *output, r *doctor.Report) error {
	var text strings.Builder
	server := r.Server
	if server == "" {
		server = "a server that is not recognised"
	}
	if r.Header != "" {
		server += fmt.Sprintf(" (%q)", r.Header)
	}
	fmt.Fprintf(&text, "%s: %s, %s, %d connections\n\n", out.bold(strings.Join(r.Targets, " ")), server,
		count(len(r.Addresses), "address", "addresses"), r.Connections)
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, way := range r.Ways {
		writeWay(table, way)
	}
	table.Flush()
	writeKeys(&text, r)
	writeReuse(&text, r)
	writeCrossings(&text, r)
	writeTimes(&text, r)
	for _, finding := range r.Findings {
		writeFinding(out, &text, finding, r.Server)
	}
	if len(r.Findings) == 0 {
		text.WriteString("\nNothing is wrong.\n")
	}
	for n, judged := range r.Expectations {
		if n == 0 {
			text.WriteString("\n")
		}
		verdict := "holds "
		if !judged.Holds {
			verdict = out.bad("MISSED")
		}
		fmt.Fprintf(&text, "%s  %s: %s\n", verdict, judged.Expectation, judged.Found)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func writeWay(table io.Writer, way *doctor.Way) {
	all := way.All()
	fmt.Fprintf(table, "%s\t", way.Title())
	switch {
	case !way.Spoken:
		fmt.Fprint(table, "not spoken\t\t\n")
		return
	case way.Fulls == 0:
		fmt.Fprint(table, "nobody answered any more\t\t\n")
		return
	case way.Given == 0:
		fmt.Fprint(table, "nothing is given to come again with\t\t\n")
		return
	}
	fmt.Fprintf(table, "%d of %d resumed\t", all.Resumed, all.Visits)
	switch {
	case all.Offered() == 0:
		fmt.Fprint(table, "\t")
	case all.Resumed == all.Offered():
		fmt.Fprintf(table, "at least %.1f %% of what is offered\t", 100*way.AtLeast)
	case all.Resumed == 0:
		fmt.Fprintf(table, "at most %.1f %% of what is offered\t", 100*way.AtMost)
	default:
		fmt.Fprintf(table, "%.1f to %.1f %% of what is offered\t", 100*way.AtLeast, 100*way.AtMost)
	}
	fmt.Fprintf(table, "by %s", way.Gives)
	if way.Hint > 0 {
		fmt.Fprintf(table, ", for %v", time.Duration(way.Hint))
	}
	fmt.Fprintln(table)
}

func writeKeys(text io.Writer, r *doctor.Report) {
	if r.Keys.NameBytes == 0 {
		return
	}
	fmt.Fprintf(text, "\n%s:\n", count(len(r.Keys.Keys), "ticket key", "ticket keys"))
	const shown = 8
	for n, key := range r.Keys.Keys {
		if n == shown {
			fmt.Fprintf(text, "  and %d more\n", len(r.Keys.Keys)-shown)
			return
		}
		fmt.Fprintf(text, "  %s  %s at %s", key.Name, count(key.Tickets, "ticket", "tickets"), count(len(key.Addresses), "address", "addresses"))
		if key.FirstSeen != nil {
			fmt.Fprintf(text, ", first seen %s", key.FirstSeen.Local().Format(time.DateTime))
		}
		fmt.Fprintln(text)
	}
}

func writeReuse(text io.Writer, r *doctor.Report) {
	if r.Reuse == nil {
		return
	}
	parts := []string{"accepted once only"}
	if r.Reuse.Twice {
		parts[0] = "accepted more than once"
	}
	for _, way := range r.Ways {
		if way.Name == "tls13" && way.Renewed > 0 {
			parts = append(parts, "another one on each resumption")
		} else if way.Name == "tls13" {
			parts = append(parts, "none on a resumption")
		}
	}
	switch {
	case r.Reuse.Replayed || r.Reuse.ReplayOther:
		parts = append(parts, "early data, replayable")
	case r.Reuse.Accepted:
		parts = append(parts, "early data, not replayable")
	default:
		parts = append(parts, "no early data")
	}
	fmt.Fprintf(text, "\nTLS 1.3 tickets: %s\n", strings.Join(parts, "; "))
}

// writeCrossings tells the pairs of names that have something in common, each once.
func writeCrossings(text io.Writer, r *doctor.Report) {
	told := map[string]bool{}
	for _, c := range r.Crossings {
		certificate := "another certificate"
		if c.SameCert {
			certificate = "the same certificate"
		}
		line := fmt.Sprintf("a session of %q is resumed under %q, which shows %s\n", c.From, c.To, certificate)
		if c.Resumed && !told[line] {
			told[line] = true
			io.WriteString(text, line)
		}
	}
}

func writeTimes(text io.Writer, r *doctor.Report) {
	if s := r.Since; s != nil {
		resumed := 0
		for _, kept := range s.Sessions {
			if kept.Resumed {
				resumed++
			}
		}
		fmt.Fprintf(text, "\nsince %s: %d of %d sessions of then are resumed; %s, %d of then\n", s.When.Local().Format(time.DateTime),
			resumed, len(s.Sessions), count(s.NewKeys, "new ticket key", "new ticket keys"), s.OldKeys)
	}
	for _, l := range r.Lasting {
		fmt.Fprintf(text, "%s: resumed at an age of %v", l.Way, time.Duration(l.Resumed))
		if l.Refused > 0 {
			fmt.Fprintf(text, ", refused at %v", time.Duration(l.Refused))
		}
		fmt.Fprintf(text, "; a chain of sessions went on for %v", time.Duration(l.Chain))
		if l.ChainEnd {
			fmt.Fprint(text, " and ended")
		}
		fmt.Fprintln(text)
	}
}

func writeFinding(out *output, text io.Writer, f doctor.Finding, server string) {
	title := "REMARK"
	if f.Level == doctor.Fault {
		title = out.bad("FAULT")
	}
	fmt.Fprintf(text, "\n%s  %s\n", title, out.bold(f.What))
	fmt.Fprintf(text, "  %s\n", f.Consequence)
	if len(f.Cure) == 0 {
		return
	}
	if server == "" {
		server = "the server"
	}
	fmt.Fprintf(text, "  To change it, in %s:\n", server)
	for _, line := range f.Cure {
		fmt.Fprintf(text, "      %s\n", line)
	}
}
