package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"gosess/agent/internal/journal"
	"gosess/agent/internal/options"
	"gosess/agent/internal/remote"
)

// check looks whether a far store is fit, and says what is wrong with it.
func check(arguments []string, out io.Writer) error {
	told, err := options.Parse(arguments, "far")
	if err != nil {
		return usageError{err}
	}
	secrets, err := told.Far.Read(os.Getenv)
	if err != nil {
		return err
	}
	client := remote.New(told.Far, secrets, journal.New(io.Discard, os.Getenv), nil, nil)
	began := time.Now()
	if err := client.Connect(0); err != nil {
		return fmt.Errorf("%s: %w", told.Far, err)
	}
	defer client.Disconnect()
	fmt.Fprintf(out, "%s: connected in %d ms\n", told.Far, time.Since(began).Milliseconds())
	nodes, err := client.Nodes()
	if err != nil {
		return err
	}
	found := 0
	for _, node := range nodes {
		r := reportOf(node)
		for _, finding := range r.findings {
			fmt.Fprintf(out, "%s: %s\n", node.Address, finding)
		}
		for _, unseen := range r.unseen {
			fmt.Fprintf(out, "%s: not seen: %s\n", node.Address, unseen)
		}
		found += len(r.findings)
	}
	if found > 0 {
		return foundError{found}
	}
	_, err = fmt.Fprintln(out, "nothing to complain of")
	return err
}

// smallest is the room that a store should have: for 75,000 sessions.
const smallest = 32 << 20

// A report is what is wrong with one server, and what it did not let us see.
type report struct{ findings, unseen []string }

func (r *report) complain(format string, arguments ...any) {
	r.findings = append(r.findings, fmt.Sprintf(format, arguments...))
}

func reportOf(node remote.Node) (r report) {
	info, err := node.Info()
	if err != nil {
		r.unseen = append(r.unseen, fmt.Sprintf("its version, and whether it has evicted keys (INFO: %v)", err))
	}
	if version := info["redis_version"]; version != "" && info["valkey_version"] == "" && olderThan(version, 6, 2) {
		r.complain("version %s has no GETDEL, by which a session is used once; needed: Redis 6.2, or Valkey", version)
	}
	config, err := node.Config("maxmemory", "maxmemory-policy", "appendonly", "save")
	switch {
	case err == nil:
	case info["maxmemory_policy"] != "": // INFO says nearly all of it: a managed service may allow no CONFIG
		config = map[string]string{"maxmemory": info["maxmemory"], "maxmemory-policy": info["maxmemory_policy"], "appendonly": "no"}
		if info["aof_enabled"] == "1" {
			config["appendonly"] = "yes"
		}
		r.unseen = append(r.unseen, fmt.Sprintf("whether it saves snapshots (CONFIG: %v); look yourself that it does not: recommended is save \"\"", err))
	default:
		r.complain("CONFIG: %v; look yourself that maxmemory-policy is volatile-ttl, and appendonly and save are off", err)
		return r
	}
	r.memory(config["maxmemory"], config["maxmemory-policy"])
	if config["appendonly"] == "yes" {
		r.complain("appendonly yes: %s; recommended: appendonly no", onDisk)
	}
	if save := config["save"]; save != "" {
		r.complain("save %q: %s; recommended: save \"\"", save, onDisk)
	}
	if evicted := info["evicted_keys"]; evicted != "" && evicted != "0" {
		r.complain("it has evicted %s keys since it was started: maxmemory is too small", evicted)
	}
	return r
}

const onDisk = "sessions are written to its disk, where whoever has the sealing keys can read them for as long as a copy is kept (no forward secrecy)"

// memory looks at how much there is, and at what happens where that is not enough.
func (r *report) memory(limit, policy string) {
	if policy == "noeviction" {
		r.complain("maxmemory-policy %s: when it is full it takes no new session; recommended: volatile-ttl", policy)
	} else if !strings.HasPrefix(policy, "volatile-") {
		r.complain("maxmemory-policy %s: it evicts what has no end too, which is somebody else's, or the log of removals; recommended: volatile-ttl", policy)
	}
	if room, err := strconv.ParseUint(limit, 10, 64); err == nil && room == 0 {
		r.complain("maxmemory 0: it takes all memory of its machine; recommended: a limit, of 400 bytes for each session")
	} else if err == nil && room < smallest {
		r.complain("maxmemory %d is room for %d sessions; recommended: %d or more", room, room/400, smallest)
	}
}

func olderThan(version string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(version, "%d.%d", &a, &b); n != 2 {
		return false
	}
	return a < major || a == major && b < minor
}
