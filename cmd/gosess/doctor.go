package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"gosess/internal/doctor"
	"gosess/internal/probe"
)

// Bounds of an examination.
const (
	ofOneConnection = 10 * time.Second
	ofAll           = 15 * time.Minute // beside what --for asks for
	mostRate        = 1000
)

// texts is an option that may be given several times.
type texts []string

func (t *texts) String() string { return strings.Join(*t, " ") }

func (t *texts) Set(text string) error {
	*t = append(*t, text)
	return nil
}

// prepareDoctor examines a running server.
func prepareDoctor(flags *flag.FlagSet) action {
	var names, expect texts
	asJSON := jsonOption(flags)
	flags.Var(&names, "sni", "server `NAME` to ask for (else the host's); again: names that sessions are offered under too")
	starttls := flags.String("starttls", "", "`smtp|imap|pop3|ftp|ldap|postgres`: TLS is asked for in this protocol")
	flags.Var(&expect, "expect", "`FACT` that must hold, as resumed>=99 or replayable=no; may be given several times")
	since := flags.String("since", "", "`FILE` of an earlier run to compare with, and for the next one; made where it is not there")
	lasting := flags.Duration("for", 0, "`TIME` to keep sessions, to see how long they last, as 10m")
	server := flags.String("server", "", "`"+strings.Join(doctor.Servers, "|")+"`: show its lines, where another one is recognised")
	rate := flags.Int("rate", 50, "`COUNT` of connections a second, at most")
	return func(out *output, operands []string) error {
		options, err := doctorOptions(operands, names, expect, *starttls, *server, *rate)
		if err != nil {
			return usageError{"doctor: " + err.Error()}
		}
		if *lasting < 0 {
			return usageError{"doctor: --for is a time"}
		}
		options.Lasting = *lasting
		if path, err := findLibrary(); err == nil {
			options.Preload = path
		}
		if *since != "" {
			if options.Before, err = doctor.ReadRecord(*since, strings.Join(operands, " ")); err != nil {
				return exitError{exitUsage, err}
			}
		}
		ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer cancel()
		ctx, cancel = context.WithTimeout(ctx, ofAll+*lasting)
		defer cancel()
		report, record, err := doctor.Examine(ctx, probe.Connect, options)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			err = fmt.Errorf("%s: not done after %v", operands[0], ofAll+*lasting)
		case errors.Is(err, context.Canceled):
			err = errors.New("interrupted")
		}
		if err != nil {
			return exitError{exitUsage, err}
		}
		if report.Library, err = probe.Library(); err != nil {
			return err
		}
		var notLeft error
		if *since != "" {
			notLeft = record.Write(*since)
		}
		err = writeReport(out, report, *asJSON)
		if notLeft != nil { // what was found out is told all the same
			return exitError{exitUsage, notLeft}
		}
		return err
	}
}

// doctorOptions are what a command line asks for.
func doctorOptions(targets, names, expect []string, starttls, server string, rate int) (o doctor.Options, err error) {
	o = doctor.Options{Targets: targets, Names: names, Server: server, Rate: rate, Patience: ofOneConnection}
	if len(targets) == 0 {
		return o, errors.New("HOST:PORT is missing")
	}
	if server != "" && !slices.Contains(doctor.Servers, server) {
		return o, fmt.Errorf("--server %s: allowed: %s", server, strings.Join(doctor.Servers, ", "))
	}
	if rate < 1 || rate > mostRate {
		return o, fmt.Errorf("--rate %d: a number from 1 to %d", rate, mostRate)
	}
	for _, text := range expect {
		expectation, err := doctor.ParseExpectation(text)
		if err != nil {
			return o, fmt.Errorf("--expect %w", err)
		}
		o.Expect = append(o.Expect, expectation)
	}
	_, port, _ := strings.Cut(targets[0][max(strings.LastIndex(targets[0], ":"), 0):], ":")
	o.Talk = probe.TalkAt(port)
	if starttls != "" {
		o.Talk, err = probe.StartTLS(starttls)
	}
	return o, err
}

// writeReport prints, and says by its error what a script wants to know.
func writeReport(out *output, report *doctor.Report, asJSON bool) error {
	var err error
	if asJSON {
		err = writeObject(out, report)
	} else {
		err = writeDiagnosis(out, report)
	}
	if err != nil {
		return err
	}
	missed := 0
	for _, judged := range report.Expectations {
		if !judged.Holds {
			missed++
		}
	}
	switch {
	case missed > 0:
		return fmt.Errorf("doctor: %d of %d expectations missed", missed, len(report.Expectations))
	case len(report.Expectations) == 0 && report.Faults() > 0:
		return fmt.Errorf("doctor: faults found: %d", report.Faults())
	}
	return nil
}
