package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// write replaces what an earlier run has left in a folder.
func (b *bench) write(folder string) error {
	files := map[string]string{
		"cpu.svg": b.cpuPlot(), "latency.svg": b.latencyPlot(), "fill.svg": b.fillPlot(), "gap.svg": b.gapPlot(),
		"rounds.md": b.roundTables(),
	}
	for i, r := range b.rows {
		if r.profileTexts[1] == "" {
			continue
		}
		r.Profile = fmt.Sprintf("profile-%d.txt", i+1)
		files[r.Profile] = fmt.Sprintf("%s, where the CPU time of the server goes, in percent\n\n%s\n%s\n%s\n%s",
			r.Name, r.Peers[0], r.profileTexts[0], r.Peers[1], r.profileTexts[1])
	}
	text, err := b.summary()
	if err != nil {
		return err
	}
	files["README.md"] = text
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var summaryTemplate = template.Must(template.New("README.md").Parse(`# How fast gosess is

Written by ` + "`make bench{{if .Quick}} QUICK=1{{end}}`" + `{{if .Quick}}: a quick run, of few and short rounds{{end}}. Ratios are gosess / peer, below 1 is cheaper: medians over pairs of rounds
that were made one after the other, in alternating order, on servers that ran side by side all the time. Server
CPU is that of all the server's threads as the scheduler counts it, divided by the handshakes. In parentheses are the quartiles.
A target is met only where each handshake was resumed, as the client's SSL_session_reused says, and none failed: see
[every round](rounds.md).

| target | limit | measured | |
|---|---|---|---|
{{- range .Targets}}
| {{.Work}} | {{.Limit}} | {{.Measured}} | {{.Verdict}}{{if .Because}}: [profile]({{.Because}}){{end}} |
{{- end}}

![Server CPU per handshake](cpu.svg)
![Latency, one client](latency.svg)
![Cost against fill](fill.svg)
![Cost after a pause](gap.svg)

## The same in numbers

Medians, microseconds.

| work | clients | peer: CPU | gosess: CPU | ratio | peer: p50 | gosess: p50 | ratio | peer: p99 | gosess: p99 |
|---|---|---|---|---|---|---|---|---|---|
{{.Handshakes}}
In one process, both ends of a TLS 1.2 connection over memory: what libssl takes for the server, and all of it.

| threads | libssl: server | gosess: server | ratio | libssl: both ends | gosess: both ends | ratio |
|---|---|---|---|---|---|---|
{{.OneProcess}}
After a pause, nanoseconds: a call into Go that does next to nothing there; the get callback within a
handshake, missing and hitting; and one in C that does nothing but decode the session, as each cache of bytes must.

| pause, us | spinning: call | miss | hit | decode | asleep: call | miss | hit | decode |
|---|---|---|---|---|---|---|---|---|
{{.Gaps}}
The store alone, in Go, nanoseconds, with the entries at which each was measured.

| entries | get | put |
|---|---|---|
{{.Fills}}
| sessions that 1 MiB still resumes, of {{.Tried}} made | |
|---|---|
{{- range .Capacities}}
| {{.Name}} | {{.Holds}} |
{{- end}}

| worker of nginx, after 5000 connections, kB | resident | private | proportional |
|---|---|---|---|
{{.Memory}}
An idle worker takes {{printf "%.3f" (index .Idle 0)}} % of a processor without gosess, and {{printf "%.3f" (index .Idle 1)}} % with it.

## Where, and with what

| | |
|---|---|
{{- range .Machine}}
| {{.Name}} | {{.Value}} |
{{- end}}

Servers have two workers or threads, P-256 certificates, tickets off, and caches of 10 MB (nginx ` + "`shared:SSL:10m`" + `, httpd
` + "`shmcb`" + ` of as many bytes, HAProxy ` + "`tune.ssl.cachesize`" + ` at 248 bytes a block); gosess has
` + "`GOSESS_CACHE='shm:?size=10m'`" + ` under nginx with ` + "`ssl_session_cache none`" + `, httpd with ` + "`SSLSessionCache nonenotnull`" + `, and behind
HAProxy's own cache. Client and server share the processors, so that p50 with four clients is queueing. A
handshake is one: connect, shake hands, take the ticket (TLS 1.3), close; {{.Pool}} sessions in turns, each TLS 1.3 ticket once.

Commands: ` + "`make bench`, `make bench QUICK=1` (into `build/bench`)" + `; one round by hand is
` + "`build/tests/load --port PORT --tls 1.2 --handshake-only`" + `, and the store's figures are
` + "`go test -run '^$' -bench . ./sessioncache/shm`" + `. The program is [tests/bench](../../tests/bench).
`))

func (b *bench) summary() (string, error) {
	var handshakes, onePlace, gapRows, fillRows strings.Builder
	for _, r := range b.rows {
		theirCPU, ourCPU := medians(r.Pairs, cpuOf)
		theirP50, ourP50 := medians(r.Pairs, p50Of)
		theirP99, ourP99 := medians(r.Pairs, func(s sample) float64 { return s.P99 })
		fmt.Fprintf(&handshakes, "| %s | %d | %.1f | %.1f | %.3f | %.1f | %.1f | %.3f | %.0f | %.0f |\n", r.Name, r.Clients,
			theirCPU, ourCPU, ratio(r.Pairs, cpuOf), theirP50, ourP50, ratio(r.Pairs, p50Of), theirP99, ourP99)
	}
	for _, r := range b.onePlace {
		theirs, ours := medians(r.Pairs, serverOf)
		theirBoth, ourBoth := medians(r.Pairs, bothOf)
		fmt.Fprintf(&onePlace, "| %d | %.1f | %.1f | %.3f | %.1f | %.1f | %.3f |\n", r.Threads, theirs, ours,
			ratio(r.Pairs, serverOf), theirBoth, ourBoth, ratio(r.Pairs, bothOf))
	}
	for i, p := range b.gaps["spin"] {
		asleep := b.gaps["sleep"][i]
		fmt.Fprintf(&gapRows, "| %s | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f |\n", p.Gap, p.Call, p.Miss, p.Hit, p.Decode,
			asleep.Call, asleep.Miss, asleep.Hit, asleep.Decode)
	}
	for _, entries := range fills {
		fmt.Fprintf(&fillRows, "| %d | %.0f | %.0f |\n", entries,
			b.store[entriesName("get", entries)]["ns/op"], b.store[entriesName("put", entries)]["ns/op"])
	}
	var memories strings.Builder
	for i, m := range []memory{b.footprint.without, b.footprint.with} {
		name := []string{"`shared:SSL:10m`", "gosess"}[i]
		fmt.Fprintf(&memories, "| %s | %.0f | %.0f | %.0f |\n", name, m.resident, m.private, m.proportional)
	}
	var text strings.Builder
	err := summaryTemplate.Execute(&text, map[string]any{
		"Quick": b.quick, "Targets": b.targets(), "Handshakes": handshakes.String(), "OneProcess": onePlace.String(),
		"Gaps": gapRows.String(), "Fills": fillRows.String(), "Tried": triedSessions, "Capacities": b.capacities,
		"Memory": memories.String(), "Idle": b.idle, "Machine": b.machine(), "Pool": poolSize,
	})
	return text.String(), err
}

// roundTables are all rounds, in the order in which they were made.
func (b *bench) roundTables() string {
	var text strings.Builder
	text.WriteString("# Every round\n\nIn pairs; the first of each row was made first. CPU and latency in microseconds.\n")
	for _, r := range b.rows {
		fmt.Fprintf(&text, "\n## %s\n\n%d clients, %s; median ratio of %s %.4f.\n\n", r.Name, r.Clients,
			strings.Join(r.Peers[:], " and "), r.Unit, r.ratio())
		text.WriteString("| pair | server | handshakes | resumed | errors | a second | CPU | p50 | p99 | ratio |\n|---|---|---|---|---|---|---|---|---|---|\n")
		for i, p := range r.Pairs {
			sides := []sample{p.Theirs, p.Ours}
			order := []int{0, 1}
			if p.OursFirst {
				order = []int{1, 0}
			}
			for _, side := range order {
				s, quotient := sides[side], ""
				if side == 1 {
					quotient = fmt.Sprintf("%.3f", r.Of(p.Ours)/r.Of(p.Theirs))
				}
				fmt.Fprintf(&text, "| %d | %s | %d | %d | %d | %.0f | %.1f | %.1f | %.1f | %s |\n", i+1, r.Peers[side],
					s.Attempts, s.Resumed, s.Errors, s.Rate, s.CPU, s.P50, s.P99, quotient)
			}
		}
	}
	for _, r := range b.onePlace {
		fmt.Fprintf(&text, "\n## One process, %d thread(s)\n\n| pair | libssl: server | gosess: server | ratio | libssl: both ends | gosess: both ends |\n|---|---|---|---|---|---|\n", r.Threads)
		for i, p := range r.Pairs {
			fmt.Fprintf(&text, "| %d | %.2f | %.2f | %.3f | %.2f | %.2f |\n", i+1, p.Theirs.Server, p.Ours.Server,
				p.Ours.Server/p.Theirs.Server, p.Theirs.Both, p.Ours.Both)
		}
	}
	return text.String()
}

func (b *bench) cpuPlot() string {
	var bars []bar
	for _, r := range b.rows {
		if r.Clients > 1 {
			theirs, ours := medians(r.Pairs, cpuOf)
			bars = append(bars, bar{r.Name, theirs, ours})
		}
	}
	return barsSVG("Server CPU per resumed handshake, microseconds, 4 clients", bars)
}

// latencyPlot has the quantiles of the rows with one client, each the median of its rounds.
func (b *bench) latencyPlot() string {
	c := chart{Title: "Latency of resumed TLS 1.2 handshakes, one client", X: "microseconds, up to the 99th percentile", Y: "%", Log: true}
	colour := 1
	for _, r := range b.rows {
		if r.Clients != 1 || r.TLS != "1.2" {
			continue
		}
		theirs, ours := line{r.Peers[0], colour, true, nil}, line{r.Peers[1], colour, false, nil}
		for i, q := range r.Pairs[0].Theirs.Quantiles {
			if q[0] > 0.99 {
				break
			}
			left, right := medians(r.Pairs, func(s sample) float64 { return s.Quantiles[i][1] })
			theirs.Points = append(theirs.Points, [2]float64{left, 100 * q[0]})
			ours.Points = append(ours.Points, [2]float64{right, 100 * q[0]})
		}
		c.Lines = append(c.Lines, theirs, ours)
		colour++
	}
	return c.svg()
}

func (b *bench) fillPlot() string {
	get, put := line{Name: "get", Colour: 1}, line{Name: "put", Colour: 3}
	for _, entries := range fills {
		x := float64(entries)
		get.Points = append(get.Points, [2]float64{x, b.store[entriesName("get", entries)]["ns/op"]})
		put.Points = append(put.Points, [2]float64{x, b.store[entriesName("put", entries)]["ns/op"]})
	}
	return chart{Title: "Cost of the store against its fill", X: "sessions in the store", Y: "ns", Log: true, Lines: []line{get, put}}.svg()
}

func (b *bench) gapPlot() string {
	c := chart{Title: "Calls into Go after a pause", X: "pause, microseconds", Y: "ns", Log: true}
	for i, how := range []string{"spin", "sleep"} {
		name := []string{"spinning", "asleep"}[i]
		call, hit := line{name + ", call", 1 + 2*i, false, nil}, line{name + ", hit", 1 + 2*i, true, nil}
		for _, p := range b.gaps[how] {
			x, _ := strconv.ParseFloat(p.Gap, 64)
			if x == 0 {
				continue // has no place on a logarithmic axis
			}
			call.Points = append(call.Points, [2]float64{x, p.Call})
			hit.Points = append(hit.Points, [2]float64{x, p.Hit})
		}
		c.Lines = append(c.Lines, call, hit)
	}
	return c.svg()
}
