package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gosess/sessioncache"
	"gosess/sessioncache/shm"
	"gosess/tests/harness"
)

// watching is what it costs to look at a store with as many contexts and workers as it has room for.
type watching struct {
	scrape   []float64 // ms, each
	cpu      float64   // ms of gosess serve for one
	bytes    int       // of one
	idle     float64   // CPU of gosess serve between scrapes, in percent
	resident float64   // MB
}

const (
	watchedContexts = 100
	watchedWorkers  = 64
	watchedSize     = 128 << 20 // has room for a row of each context in each worker
	// gosess serve looks every 10 seconds by itself.
	watchedTime = 30 * time.Second
)

// measureWatching scrapes gosess serve, and then leaves it alone.
func (b *bench) measureWatching() error {
	path := filepath.Join(b.scratch, "watched")
	if err := writeWatched(path); err != nil {
		return err
	}
	defer os.Remove(path)
	command, err := harness.Built("gosess")
	if err != nil {
		return err
	}
	cmd := exec.Command(command, "serve", "--listen", "127.0.0.1:0", "shm:"+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return err
	}
	url := strings.Fields(line)[1] + "metrics" // serving http://127.0.0.1:PORT/ and ...
	w := &b.watching
	serve := harness.FindProcess(cmd.Process.Pid)
	const scrapes = 50
	start, err := cpuTime([]harness.Process{serve})
	if err != nil {
		return err
	}
	for range scrapes {
		began := time.Now()
		answer, err := http.Get(url)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			return err
		}
		w.scrape, w.bytes = append(w.scrape, float64(time.Since(began).Microseconds())/1000), len(text)
		if n := strings.Count(string(text), "\ngosess_hits_total{"); n != watchedContexts {
			return fmt.Errorf("%d contexts are told, not %d", n, watchedContexts)
		}
	}
	before, err := cpuTime([]harness.Process{serve})
	if err != nil {
		return err
	}
	w.cpu = (before - start).Seconds() * 1000 / scrapes
	began := time.Now()
	time.Sleep(watchedTime)
	after, err := cpuTime([]harness.Process{serve})
	if err != nil {
		return err
	}
	w.idle = 100 * float64(after-before) / float64(time.Since(began))
	m, err := memoryOf(serve)
	if err != nil {
		return err
	}
	w.resident = m.resident / 1024
	b.progress("a scrape of %d contexts and %d workers: %.1f ms, of which gosess serve runs %.1f, %d bytes; gosess serve idle: %.3f %% CPU, %.1f MB", watchedContexts, watchedWorkers,
		median(w.scrape), w.cpu, w.bytes, w.idle, w.resident)
	return nil
}

// writeWatched makes the file of a store that many processes have used, with sessions in it.
func writeWatched(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(watchedSize); err != nil {
		return err
	}
	mapping, err := syscall.Mmap(int(file.Fd()), 0, watchedSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return err
	}
	defer syscall.Munmap(mapping)
	le, ne := binary.LittleEndian, binary.NativeEndian
	copy(mapping, shm.Magic)
	le.PutUint32(mapping[shm.VersionAt:], shm.Version)
	le.PutUint32(mapping[shm.SizeAt:], shm.HeaderSize)
	le.PutUint64(mapping[shm.TotalAt:], watchedSize)
	le.PutUint32(mapping[shm.SumAt:], crc32.ChecksumIEEE(mapping[:shm.SumAt]))
	at := shm.PlacesOf(watchedSize)
	counters := func(of []byte) {
		for c := range sessioncache.CounterCount {
			ne.PutUint64(of[64+8*c:], uint64(1000+c)) // docs/shm-format.md
		}
	}
	for worker := range watchedWorkers {
		slot := mapping[at.WorkersAt+worker*at.WorkerSize:]
		ne.PutUint64(slot, uint64(worker+1))
		counters(slot)
		for n := range watchedContexts {
			row := mapping[at.RowsAt+(worker*watchedContexts+n)*at.RowSize:]
			ne.PutUint64(row, uint64(worker+1))
			ne.PutUint64(row[8:], 1<<32|uint64(n+1))
			ne.PutUint64(row[16:], 1)
			copy(row[24:64], fmt.Sprintf("www.shop-%d.example.org", n))
			counters(row)
		}
	}
	store, err := shm.Open(mapping)
	if err != nil {
		return err
	}
	cache, err := sessioncache.New(store, [][]byte{make([]byte, sessioncache.KeySize)})
	if err != nil {
		return err
	}
	var id [32]byte
	for n := range 200000 {
		le.PutUint64(id[:], uint64(n))
		session := sessioncache.Session{ID: id[:], DER: make([]byte, 140), Expires: time.Now().Unix() + 3600}
		if _, err := cache.Put(context.Background(), sessioncache.Origin{}, session); err != nil {
			return err
		}
	}
	store.Leave()
	return nil
}
