package fleet_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gosess/tests/fleet"
	"gosess/tests/fleet/network"
	"gosess/tests/versions"
)

// TestValkey is a far store that is Debian 13's Valkey.
func TestValkey(t *testing.T) {
	t.Parallel()
	root := versions.Valkey(t).Root
	dir, err := os.MkdirTemp(filepath.Join(root, "tmp"), "valkey")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	valkey := &fleet.Redis{Host: network.NewDistant(t), Root: root, Dir: strings.TrimPrefix(dir, root)}
	t.Cleanup(valkey.Kill)
	if err := valkey.Run(); err != nil {
		t.Fatal(err)
	}
	if about := valkey.Ask("INFO", "server"); !strings.Contains(about, "valkey_version:8.") {
		t.Errorf("it is %s", about)
	}
	f := &machines{t: t, kind: nginx, redis: valkey, far: valkey.URL()}
	f.start(2)
	for _, version := range []string{"1.2", "1.3"} {
		f.resumes(f.all[1], version, f.visit(f.all[0], version, 50), 50)
	}
}

// primaries of a cluster, each of which has a replica, which come behind them.
const primaries = 3

// startCluster starts one on a host of its own.
func startCluster(t *testing.T) (nodes []*fleet.Redis) {
	t.Helper()
	host := network.NewDistant(t)
	for i := range 2 * primaries {
		node := &fleet.Redis{Host: host, Dir: t.TempDir(), Port: 7000 + i, Arguments: []string{"--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
			"--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"}}
		t.Cleanup(node.Kill)
		if err := node.Run(); err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, node)
	}
	ask := func(node *fleet.Redis, words ...string) {
		t.Helper()
		if said := node.Ask(words...); said != "OK" {
			t.Fatalf("%s: %s", strings.Join(words, " "), said)
		}
	}
	const slots = 16384
	for i, node := range nodes[:primaries] {
		ask(node, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/primaries), strconv.Itoa((i+1)*slots/primaries-1))
		ask(node, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
	}
	for _, node := range nodes[1:] {
		ask(node, "CLUSTER", "MEET", host.Address(), strconv.Itoa(nodes[0].Port))
	}
	f := &machines{t: t}
	f.wait("a cluster", func() bool { return knownEverywhere(nodes, " connected", len(nodes)) })
	for i, node := range nodes[primaries:] {
		id := nodes[i].Ask("CLUSTER", "MYID")
		f.wait("a replica", func() bool { return node.Ask("CLUSTER", "REPLICATE", id) == "OK" })
	}
	f.wait("replicas", func() bool { return knownEverywhere(nodes, "slave ", primaries) })
	for _, node := range nodes[primaries:] {
		f.wait("a replica that is in step", func() bool { return strings.Contains(node.Ask("INFO", "replication"), "master_link_status:up") })
	}
	return nodes
}

// knownEverywhere says whether a text is so often in what each node knows of the cluster, which is whole.
func knownEverywhere(nodes []*fleet.Redis, text string, count int) bool {
	return !slices.ContainsFunc(nodes, func(node *fleet.Redis) bool {
		return strings.Count(node.Ask("CLUSTER", "NODES"), text) != count || !strings.Contains(node.Ask("CLUSTER", "INFO"), "cluster_state:ok")
	})
}

// TestCluster kills a primary while clients come: what it had is at its replica, which takes over.
func TestCluster(t *testing.T) {
	t.Parallel()
	const sessions = 30
	nodes := startCluster(t)
	f := &machines{t: t, kind: nginx}
	f.far = fmt.Sprintf("redis://%s,%s,%s?cluster", nodes[0].Address(), nodes[1].Address(), nodes[2].Address())
	f.start(2)
	a, b := f.all[0], f.all[1]
	for _, version := range []string{"1.2", "1.3"} {
		f.resumes(b, version, f.visit(a, version, sessions), sessions)
	}
	before := f.visit(a, "1.2", sessions)
	f.wait("a replica with all", func() bool { return nodes[primaries].Size() == nodes[0].Size() })
	f.under(a, func() {
		nodes[0].Kill()
		killed := time.Now()
		f.wait("the replica to take over", func() bool { return isPrimary(nodes[primaries]) })
		took := time.Now()
		f.wait("sessions from before", func() bool { return f.offer(b, "1.2", before, sessions).Resumed == sessions })
		f.wait("new ones", func() bool { return f.offer(b, "1.3", f.save(a, "1.3", sessions), sessions).Resumed == sessions })
		t.Logf("the replica took over after %v; sessions from before and new ones %v later", took.Sub(killed).Round(time.Millisecond),
			time.Since(took).Round(time.Millisecond))
	})
}

func isPrimary(node *fleet.Redis) bool { return strings.HasPrefix(node.Ask("ROLE"), "master") }
