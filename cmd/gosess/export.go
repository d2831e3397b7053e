package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gosess/capi/settings"
	"gosess/internal/inspect"
	"gosess/internal/regular"
	"gosess/internal/ticketfile"
	"gosess/sessioncache/tickets"
)

// prepareExport writes key files of servers without gosess.
func prepareExport(flags *flag.FlagSet) action {
	var names []string
	for _, kind := range ticketfile.Kinds {
		names = append(names, kind.Name)
	}
	program := flags.String("for", "", "`"+strings.Join(names, "|")+"`: which program is to read it")
	to := flags.String("to", "", "`FILE` to write, or to replace")
	period := flags.String("period", setOr("GOSESS_TICKET_PERIOD", "1h"), "`PERIOD` of the servers' tickets (else GOSESS_TICKET_PERIOD, else 1h)")
	keys, asJSON := keysOption(flags), jsonOption(flags)
	return func(out *output, operands []string) error {
		if *program == "" {
			return usageError{"keys export: --for is missing; allowed: " + strings.Join(names, ", ")}
		}
		kind, known := ticketfile.Of(*program)
		if !known {
			return usageError{fmt.Sprintf("keys export: --for %q is unknown; allowed: %s", *program, strings.Join(names, ", "))}
		}
		if *to == "" || len(operands) != 1 {
			return usageError{"keys export takes --to with a file, and one URL"}
		}
		seconds, err := periodOf(*period)
		if err != nil {
			return err
		}
		paths, err := export(kind, *to, operands[0], *keys, seconds)
		if err != nil || !*asJSON {
			return err
		}
		return writeObject(out, object{{"program", kind.Name}, {"files", paths}, {"period", seconds}})
	}
}

var periodForm = regexp.MustCompile(`^([0-9]{1,4})([mh])$`)

// periodOf reads a period as the servers do (shim/config/environment.c), in seconds.
func periodOf(text string) (int64, error) {
	if parts := periodForm.FindStringSubmatch(text); parts != nil {
		value, _ := strconv.ParseInt(parts[1], 10, 64)
		unit := map[string]int64{"m": 60, "h": 3600}[parts[2]]
		if seconds := value * unit; seconds >= 300 && seconds <= 24*3600 {
			return seconds, nil
		}
	}
	return 0, usageError{fmt.Sprintf("the period %q is not allowed; allowed: 5m to 24h, in m or h", text)}
}

// export writes the files, and returns their paths.
func export(kind ticketfile.Kind, to, url, keysFile string, period int64) (paths []string, err error) {
	store, err := inspect.ByURL(url, inspect.ToRead)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	keys, err := settings.Keys(url, keysFile)
	if err != nil {
		return nil, err
	}
	now := time.Now().Unix()
	secrets, err := store.Secrets(keys, period, now)
	for i := range keys {
		clear(keys[i])
	}
	if err != nil {
		return nil, err
	}
	files, err := kind.Make(secrets, now)
	tickets.Wipe(secrets)
	if errors.Is(err, ticketfile.ErrNoSecret) {
		return nil, fmt.Errorf("store %s: no server has made a secret of this period in it: GOSESS_TICKETS=shared, and a period of %d m", store.Name, period/60)
	}
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		path := to + file.Suffix
		if err := regular.Replace(path, file.Data); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	fmt.Fprintf(os.Stderr, "gosess: %s: tickets under these keys are bound to no server name and no certificate: give the file only to servers that may "+
		"resume each other's sessions%s\n", to, map[bool]string{true: "; this program reads one key, so tickets end with the period"}[kind.Single])
	return paths, nil
}
