package testredis

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const slots = 16384

// Cluster starts a cluster of so many primaries, with a replica each. The primaries come first, and then the replicas in the same order.
func Cluster(t testing.TB, primaries int, arguments ...string) []*Server {
	t.Helper()
	nodes := make([]*Server, 2*primaries)
	for i := range nodes {
		nodes[i] = Start(t, append([]string{"--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", strconv.Itoa(FreePort(t)),
			"--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"}, arguments...)...)
	}
	for i, n := range nodes[:primaries] {
		n.CLI("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/primaries), strconv.Itoa((i+1)*slots/primaries-1))
		n.CLI("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
	}
	for _, n := range nodes[1:] {
		_, bus, _ := strings.Cut(nodes[0].CLI("CONFIG", "GET", "cluster-port"), "cluster-port\r\n")
		lines := strings.Fields(bus)
		n.CLI("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(nodes[0].Port), lines[1])
	}
	everywhere := func(what, text string, count int) {
		t.Helper()
		WaitFor(t, what, func() bool {
			for _, n := range nodes {
				if strings.Count(n.CLI("CLUSTER", "NODES"), text) != count || !strings.Contains(n.CLI("CLUSTER", "INFO"), "cluster_state:ok") {
					return false
				}
			}
			return true
		})
	}
	everywhere("a cluster", " connected", len(nodes))
	for i, n := range nodes[primaries:] {
		id := strings.Fields(nodes[i].CLI("CLUSTER", "MYID"))[1]
		WaitFor(t, "a replica", func() bool { return n.CLI("CLUSTER", "REPLICATE", id) == "+OK\r\n" })
	}
	everywhere("replicas", "slave ", primaries)
	for _, n := range nodes[primaries:] {
		WaitFor(t, "a replica that is in step", func() bool { return strings.Contains(n.CLI("INFO", "replication"), "master_link_status:up") })
	}
	return nodes
}

// Sentinels starts sentinels that watch a primary by the name main.
func Sentinels(t testing.TB, primary *Server, count int) []*Server {
	t.Helper()
	var all []*Server
	for range count {
		file := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("sentinel monitor main 127.0.0.1 %d %d\nsentinel down-after-milliseconds main 500\n"+
			"sentinel failover-timeout main 2000\n", primary.Port, count/2+1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := &Server{t: t, Port: FreePort(t), Dir: t.TempDir(), command: []string{primary.command[0], file, "--sentinel"}}
		s.arguments = []string{"--bind", "127.0.0.1", "--dir", s.Dir, "--unixsocket", s.Socket(), "--port", strconv.Itoa(s.Port)}
		s.ready = "+monitor master"
		t.Cleanup(s.Kill)
		s.Run()
		all = append(all, s)
	}
	for _, s := range all {
		WaitFor(t, "sentinels that know each other and the replica", func() bool {
			about := s.CLI("SENTINEL", "MASTER", "main")
			return strings.Contains(about, fmt.Sprintf("num-other-sentinels\r\n$1\r\n%d\r\n", count-1)) && strings.Contains(about, "num-slaves\r\n$1\r\n1\r\n")
		})
	}
	return all
}
