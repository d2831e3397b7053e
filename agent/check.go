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
		for _, finding := range findings(node) {
			fmt.Fprintf(out, "%s: %s\n", node.Address, finding)
			found++
		}
	}
	if found > 0 {
		return foundError{found}
	}
	_, err = fmt.Fprintln(out, "nothing to complain of")
	return err
}

// smallest is the room that a store should have: for 75,000 sessions.
const smallest = 32 << 20

// findings is what is wrong with one server.
func findings(node remote.Node) (found []string) {
	complain := func(format string, arguments ...any) { found = append(found, fmt.Sprintf(format, arguments...)) }
	info, err := node.Info()
	if err != nil {
		complain("INFO: %v; what it would say is not looked at", err)
	}
	if version := info["redis_version"]; version != "" && info["valkey_version"] == "" && olderThan(version, 6, 2) {
		complain("version %s has no GETDEL, by which a session is used once; needed: Redis 6.2, or Valkey", version)
	}
	config, err := node.Config("maxmemory", "maxmemory-policy", "appendonly", "save")
	if err != nil {
		complain("CONFIG: %v; look yourself that maxmemory-policy is volatile-ttl, and appendonly and save are off", err)
		return found
	}
	if policy := config["maxmemory-policy"]; policy == "noeviction" {
		complain("maxmemory-policy %s: when it is full it takes no new session; recommended: volatile-ttl", policy)
	} else if !strings.HasPrefix(policy, "volatile-") {
		complain("maxmemory-policy %s: it evicts what has no end too, which is somebody else's, or the log of removals; recommended: volatile-ttl", policy)
	}
	if config["appendonly"] == "yes" {
		complain("appendonly yes: sessions are written to its disk, where whoever has the sealing keys can read them for as long as a copy " +
			"is kept (no forward secrecy); recommended: appendonly no")
	}
	if save := config["save"]; save != "" {
		complain("save %q: sessions are written to its disk, where whoever has the sealing keys can read them for as long as a copy "+
			"is kept (no forward secrecy); recommended: save \"\"", save)
	}
	if room, err := strconv.ParseUint(config["maxmemory"], 10, 64); err == nil && room == 0 {
		complain("maxmemory 0: it takes all memory of its machine; recommended: a limit, of 400 bytes for each session")
	} else if err == nil && room < smallest {
		complain("maxmemory %d is room for %d sessions; recommended: %d or more", room, room/400, smallest)
	}
	if evicted := info["evicted_keys"]; evicted != "" && evicted != "0" {
		complain("it has evicted %s keys since it was started: maxmemory is too small", evicted)
	}
	return found
}

func olderThan(version string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(version, "%d.%d", &a, &b); n != 2 {
		return false
	}
	return a < major || a == major && b < minor
}
