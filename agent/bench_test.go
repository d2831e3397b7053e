package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gosess/agent/internal/testredis"
	"gosess/agent/internal/teststore"
	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/window"
)

// A machine of a fleet whose agent is a process, as in production.
type machine struct {
	store *shm.Store
	agent *agent
}

const (
	storeSize   = 64 << 20
	sessionSize = 192 // sealed, without a client certificate
	rate        = 2000
)

// full makes a machine whose near store is full.
func full(b *testing.B, far string) *machine {
	b.Helper()
	_, path := privateStore(b)
	teststore.MakeSized(b, path, storeSize)
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	mapping, err := syscall.Mmap(int(file.Fd()), 0, storeSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		b.Fatal(err)
	}
	m := &machine{}
	if m.store, err = shm.Open(mapping); err != nil {
		b.Fatal(err)
	}
	for i := range storeSize / sessionSize {
		m.put(b, -i-1)
	}
	m.agent = begin(b, "--store", "shm:"+path, "--far", far)
	testredis.WaitFor(b, "a connection", m.store.Window().MayWait)
	return m
}

func keyOf(i int) (key sessioncache.LookupKey) {
	binary.LittleEndian.PutUint64(key[:], uint64(i)*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(key[8:], uint64(i)*0xbf58476d1ce4e5b9)
	key[sessioncache.RouteByte] &^= sessioncache.RouteBit
	return key
}

// put does what a server does, but does not tell.
func (m *machine) put(b *testing.B, i int) {
	b.Helper()
	key, now := keyOf(i), uint32(time.Now().Unix())
	if err := m.store.Put(context.Background(), &key, make([]byte, sessionSize), now+300, now); err != nil {
		b.Fatal(err)
	}
}

func (m *machine) has(i int) bool {
	var e sessioncache.Entry
	key := keyOf(i)
	return m.store.Look(&key, &e)
}

// BenchmarkPush has one machine store 2,000 sessions a second, and looks when the other one has them.
func BenchmarkPush(b *testing.B) {
	redis := testredis.Start(b)
	from, to := full(b, redis.URL()+"?push"), full(b, redis.URL()+"?push")
	first := 0
	testredis.WaitFor(b, "a session that is pushed", func() bool { // both listen
		first++
		from.tell(b, first)
		time.Sleep(10 * time.Millisecond)
		return to.has(first)
	})
	const count = 10 * rate
	stored := make(chan time.Time, count)
	used := map[*machine]time.Duration{from: -from.agent.processor(b), to: -to.agent.processor(b)}
	began := time.Now()
	go func() {
		for i := range count {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / rate)))
			at := time.Now()
			from.tell(b, first+1+i)
			stored <- at
		}
		close(stored)
	}()
	var lags []time.Duration
	lost := 0
	for at := range stored {
		for i := first + 1 + len(lags) + lost; !to.has(i) && time.Since(at) < time.Second; {
			time.Sleep(50 * time.Microsecond)
		}
		if lag := time.Since(at); lag < time.Second {
			lags = append(lags, lag)
		} else {
			lost++
		}
	}
	took := time.Since(began)
	slices.Sort(lags)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(lost), "lost")
	for name, at := range map[string]int{"p50-ms": len(lags) / 2, "p99-ms": len(lags) * 99 / 100, "max-ms": len(lags) - 1} {
		b.ReportMetric(lags[at].Seconds()*1000, name)
	}
	for name, m := range map[string]*machine{"storing": from, "hearing": to} {
		b.ReportMetric(100*(used[m]+m.agent.processor(b)).Seconds()/took.Seconds(), name+"-cpu%")
		b.ReportMetric(m.agent.memory(b), name+"-MB")
	}
}

// tell stores a session, and tells the agent of it, as a server does.
func (m *machine) tell(b *testing.B, i int) {
	m.put(b, i)
	m.store.Window().Tell(window.Item{Kind: window.Stored, Key: keyOf(i), Expires: uint32(time.Now().Unix()) + 300})
}

// BenchmarkStores is an agent that tells of 2,000 sessions a second, without push.
func BenchmarkStores(b *testing.B) {
	redis := testredis.Start(b)
	m := full(b, redis.URL())
	used, began := m.agent.processor(b), time.Now()
	const count = 10 * rate
	for i := range count {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / rate)))
		m.tell(b, i)
	}
	took := time.Since(began)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(100*(m.agent.processor(b)-used).Seconds()/took.Seconds(), "cpu%")
	b.ReportMetric(m.agent.memory(b), "MB")
	testredis.WaitFor(b, "all sessions in the far store", func() bool { return redis.CLI("DBSIZE") == fmt.Sprintf(":%d\r\n", count+1) }) // and the log
}

// BenchmarkIdle is an agent of whom nobody wants anything.
func BenchmarkIdle(b *testing.B) {
	redis := testredis.Start(b)
	for name, far := range map[string]string{"pull": redis.URL(), "push": redis.URL() + "?push"} {
		b.Run(name, func(b *testing.B) {
			m := full(b, far)
			time.Sleep(2 * time.Second)
			used, began := m.agent.processor(b), time.Now()
			time.Sleep(20 * time.Second)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(100*(m.agent.processor(b)-used).Seconds()/time.Since(began).Seconds(), "cpu%")
			b.ReportMetric(m.agent.memory(b), "MB")
		})
	}
}

// processor is what the agent has used of it so far.
func (a *agent) processor(b *testing.B) (used time.Duration) {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", a.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		b.Fatal(err, len(tasks))
	}
	for _, task := range tasks {
		var ns time.Duration
		if text, err := os.ReadFile(task); err == nil {
			fmt.Sscan(string(text), &ns)
			used += ns
		}
	}
	return used
}

// memory is what the agent has for itself, in MB: the pages of the store are the servers' too.
func (a *agent) memory(b *testing.B) float64 {
	b.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", a.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	total, shared := 0, false
	for line := range strings.Lines(string(maps)) {
		if !strings.Contains(strings.Fields(line)[0], ":") { // a mapping, with its file
			shared = strings.HasSuffix(line, "/store\n")
		}
		var kib int
		if n, _ := fmt.Sscanf(line, "Rss: %d", &kib); n == 1 && !shared {
			total += kib
		}
	}
	return float64(total) * 1024 / 1e6
}
