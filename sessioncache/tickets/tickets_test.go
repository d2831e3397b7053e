package tickets_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"

	"gosess/sessioncache"
	"gosess/sessioncache/live"
	"gosess/sessioncache/shm"
	"gosess/sessioncache/storetest"
	"gosess/sessioncache/tickets"
)

var ctx = context.Background()

func draw(b []byte) { rand.Read(b) }

// vaults are the two kinds, with a clock that stands at *now. Each call of open is another process, where there are several.
func vaults(now *int64) map[string]func(t testing.TB) tickets.Vault {
	clock := func() int64 { return *now }
	records := live.NewRecords(clock)
	mapping := newMapping()
	return map[string]func(t testing.TB) tickets.Vault{
		"memory": func(testing.TB) tickets.Vault { return records },
		"shm": func(t testing.TB) tickets.Vault {
			s, err := shm.Open(mapping)
			if err != nil {
				t.Fatal(err)
			}
			return storetest.Cache(t, s, now)
		},
	}
}

func read(t testing.TB, vault tickets.Vault, plan tickets.Plan) []tickets.Secret {
	t.Helper()
	secrets, err := tickets.Read(ctx, vault, plan, draw)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

// sealing returns the secret that is sealed under at a time.
func sealing(t testing.TB, secrets []tickets.Secret, at int64) tickets.Secret {
	t.Helper()
	for _, s := range secrets {
		if s.Seals && s.Begins <= at && at < s.Next {
			return s
		}
	}
	t.Fatalf("nothing to seal under at %d: %d secrets", at, len(secrets))
	return tickets.Secret{}
}

func has(secrets []tickets.Secret, value [tickets.Size]byte) bool {
	for _, s := range secrets {
		if s.Value == value {
			return true
		}
	}
	return false
}

// TestPeriods goes through many periods with two processes whose clocks are half a minute apart, of which one
// looks only now and then: what one has sealed the other opens for as long as it may be used, and not much longer.
func TestPeriods(t *testing.T) {
	for _, period := range []int64{300, 3600, 86400} {
		for _, keep := range []int64{300, 7200, 7 * 86400} {
			now := int64(storetest.Now)
			for name, open := range vaults(&now) {
				t.Run(fmt.Sprintf("%s, periods of %d s, kept %d s", name, period, keep), func(t *testing.T) {
					now = storetest.Now
					kept := min(keep, tickets.Longest)
					one, two := open(t), open(t)
					sealed := map[[tickets.Size]byte]int64{} // when it was sealed under last
					var ahead []tickets.Secret
					for step := int64(0); step < 24*7; step++ {
						now = storetest.Now + step*period/7
						secrets := read(t, one, tickets.Plan{Now: now, Period: period, Keep: keep})
						for value, last := range sealed {
							switch alive := has(secrets, value); {
							case !alive && now <= last+kept:
								t.Fatalf("step %d: a secret has gone %d s after it was sealed under", step, now-last)
							case alive && now > last+2*kept+period+tickets.Apart+1:
								t.Fatalf("step %d: a secret is there %d s after it was sealed under", step, now-last)
							}
						}
						sealed[sealing(t, secrets, now).Value] = now
						if step%5 == 0 { // the other one, ahead
							ahead = read(t, two, tickets.Plan{Now: now + 30, Period: period, Keep: keep})
						}
						// What it holds it had from at most 5/7 of a period ago, so it has the current one.
						mark := sealing(t, ahead, now)
						if !has(secrets, mark.Value) || !has(ahead, sealing(t, secrets, now).Value) {
							t.Fatalf("step %d: they do not open what the other has sealed", step)
						}
					}
				})
			}
		}
	}
}

// TestTwoTimeouts has two servers with different timeouts share a vault, and a third one that opens what both have sealed: what the longer one
// has sealed lives for as long as that says, and what the other has goes when its own rule says, everywhere.
func TestTwoTimeouts(t *testing.T) {
	const period, short, long = 3600, 300, 20000
	for _, first := range []int64{short, long} { // who comes first makes no difference
		now := int64(storetest.Now)
		for name, open := range vaults(&now) {
			t.Run(fmt.Sprintf("%s, %d s first", name, first), func(t *testing.T) {
				now = storetest.Now
				plan := func(keep int64) tickets.Plan { return tickets.Plan{Now: now, Period: period, Keep: keep} }
				lives := map[int64]map[[tickets.Size]byte]int64{short: {}, long: {}} // of a secret, when it was sealed under last
				all := map[[tickets.Size]byte]int64{}
				one, two, other := open(t), open(t), open(t)
				for step := int64(0); step < 24*8; step++ {
					now = storetest.Now + step*period/8
					for _, keep := range []int64{first, short + long - first} {
						secret := sealing(t, read(t, map[int64]tickets.Vault{short: one, long: two}[keep], plan(keep)), now)
						lives[keep][secret.Value] = now
						if as, known := all[secret.Value]; known && as != keep {
							t.Fatal("both seal under one secret")
						}
						all[secret.Value] = keep
					}
					secrets := read(t, other, plan(short))
					for keep, sealed := range lives {
						for value, last := range sealed {
							switch alive := has(secrets, value); {
							case !alive && now <= last+keep:
								t.Fatalf("step %d: a secret of %d s has gone %d s after it was sealed under", step, keep, now-last)
							case alive && now > last+2*keep+period/8+tickets.Apart:
								t.Fatalf("step %d: a secret of %d s is there %d s after it was sealed under", step, keep, now-last)
							}
						}
					}
				}
			})
		}
	}
}

// TestRace has 20 processes start at the same moment on an empty store: a period has one secret.
func TestRace(t *testing.T) {
	for round := range 10 * storetest.Thorough {
		now := int64(storetest.Now)
		for name, open := range vaults(&now) {
			var all sync.WaitGroup
			begin := make(chan struct{})
			got := make([][]tickets.Secret, 20)
			for n := range got {
				vault := open(t)
				all.Go(func() {
					<-begin
					got[n], _ = tickets.Read(ctx, vault, tickets.Plan{Now: now, Period: 3600, Keep: 300}, draw)
				})
			}
			close(begin)
			all.Wait()
			for n := range got {
				if len(got[n]) != 2 || got[n][0] != got[0][0] || got[n][1] != got[0][1] {
					t.Fatalf("round %d, %s: process %d has others: %d", round, name, n, len(got[n]))
				}
			}
			if got[0][0].Value == got[0][1].Value || got[0][0].Value == ([tickets.Size]byte{}) {
				t.Fatal("the secrets of two periods are the same, or nothing")
			}
		}
	}
}

// failing is a vault that fails to do what it is asked, once broken.
type failing struct {
	tickets.Vault
	add, find error
}

func (f *failing) AddRecord(ctx context.Context, name string, value []byte, expires int64) error {
	if f.add != nil {
		return f.add
	}
	return f.Vault.AddRecord(ctx, name, value, expires)
}

func (f *failing) Record(ctx context.Context, name string) ([]sessioncache.Recorded, error) {
	if f.find != nil {
		return nil, f.find
	}
	return f.Vault.Record(ctx, name)
}

// TestFailing has a store that is full, or cannot be read: the rest is there, and the error says what is not.
func TestFailing(t *testing.T) {
	now := int64(storetest.Now) / 3600 * 3600
	for name, open := range vaults(&now) {
		t.Run(name, func(t *testing.T) {
			now := now
			f := &failing{Vault: open(t)}
			plan := tickets.Plan{Now: now, Period: 3600, Keep: 7200}
			before := read(t, f, plan)
			f.add = sessioncache.ErrFull
			plan.Now += 3600
			secrets, err := tickets.Read(ctx, f, plan, draw)
			if !errors.Is(err, sessioncache.ErrFull) {
				t.Errorf("%v", err)
			}
			if got := sealing(t, secrets, plan.Now); got != before[0] {
				t.Error("the secret that was made ahead has gone")
			}
			f.find = errors.New("unreadable")
			if secrets, err := tickets.Read(ctx, f, plan, draw); !errors.Is(err, f.find) || len(secrets) != 0 {
				t.Errorf("%d secrets, %v", len(secrets), err)
			}
			f.add, f.find = nil, nil
			if got := sealing(t, read(t, f, plan), plan.Now); got != before[0] {
				t.Error("another secret, once it can be read again")
			}
		})
	}
}

// TestLittleRoom keeps secrets for longer than a small store has room for: there is always one to seal under.
func TestLittleRoom(t *testing.T) {
	now := int64(storetest.Now)
	open := vaults(&now)["shm"]
	for range 200 {
		now += 300
		secrets := read(t, open(t), tickets.Plan{Now: now, Period: 300, Keep: tickets.Longest})
		sealing(t, secrets, now)
	}
	if n := len(read(t, open(t), tickets.Plan{Now: now, Period: 300, Keep: tickets.Longest})); n < 50 { // in half of the room
		t.Errorf("%d secrets are kept", n)
	}
}

// TestKeys has the sealing keys changed: who has both opens what either has sealed, and all who have the new one seal alike.
func TestKeys(t *testing.T) {
	now := int64(storetest.Now)
	mapping := newMapping()
	open := func(keys ...[]byte) tickets.Vault {
		s, err := shm.Open(mapping)
		if err != nil {
			t.Fatal(err)
		}
		return storetest.Cache(t, s, &now, keys...)
	}
	plan := tickets.Plan{Now: now, Period: 3600, Keep: 300}
	first := read(t, open(storetest.Key(1)), plan)
	both := read(t, open(storetest.Key(2), storetest.Key(1)), plan)
	if len(both) != 2 || both[0] != first[0] || both[1] != first[1] {
		t.Error("who has both keys has other secrets")
	}
	other := read(t, open(storetest.Key(2)), plan) // it cannot read those
	if has(other, first[0].Value) {
		t.Error("read without the key")
	}
	both = read(t, open(storetest.Key(2), storetest.Key(1)), plan)
	if len(both) != 4 || !has(both, first[0].Value) || !has(both, other[0].Value) {
		t.Errorf("%d secrets", len(both))
	}
	if both[0].Seals == both[1].Seals || both[2].Seals == both[3].Seals {
		t.Error("a period has two to seal under, or none")
	}
	if sealing(t, both, now) != other[1] {
		t.Error("who has the new key does not seal alike")
	}
}

// TestForgotten looks for what is left in a store of secrets whose time is over.
func TestForgotten(t *testing.T) {
	now := int64(storetest.Now)
	mapping := newMapping()
	empty := bytes.Clone(mapping)
	s, err := shm.Open(mapping)
	if err != nil {
		t.Fatal(err)
	}
	vault := storetest.Cache(t, s, &now)
	read(t, vault, tickets.Plan{Now: now, Period: 300, Keep: 300})
	places := shm.PlacesOf(len(mapping))
	records := func(m []byte) []byte { return m[places.RecordsAt:places.RecordsEnd] }
	if bytes.Equal(records(mapping), records(empty)) {
		t.Fatal("nothing is there before")
	}
	now += 3600
	if err := vault.ExpireRecords(ctx); err != nil || !bytes.Equal(records(mapping), records(empty)) {
		t.Errorf("%v, or something is left", err)
	}
}
