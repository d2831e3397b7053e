// Package tickets makes the secrets that session tickets are sealed under, and shares them between
// processes.
//
// Time is cut into periods, and each has one random secret. Whoever comes first makes it, one period
// ahead, and so each process has it before anybody uses it, if their clocks are less than a period
// apart. Nothing is derived from anything that lives longer: what is sealed in a period cannot be opened
// once its secret is destroyed.
//
// How long a secret is kept after its period, the class of it, is part of its name: servers with different
// timeouts that share a vault have secrets of their own, each of which goes when its own rule says. All open
// what is sealed under any. Classes are few, powers of two, so that whoever reads knows which there may be, and so that
// all together need no more than twice the room of the longest.
package tickets

import (
	"context"
	"errors"
	"fmt"

	"gosess/sessioncache"
)

const (
	// Size is the size of a secret in bytes.
	Size = sessioncache.MaxRecord
	// Longest is for how long, in seconds, a secret is kept after its period at the most.
	Longest = 24 * 3600
	// Apart is by how much, in seconds, the clocks of processes may differ.
	Apart = 30

	// Of the room for a class so much is left: for the next period and the current one, and for what is
	// kept half a minute longer.
	spare = 4
)

// classes are for how many seconds after its period a secret may be kept, the longest first: each is half of the one before.
var classes = func() (all []int64) {
	all = append(all, Longest)
	for class := int64(1) << 16; class > 0; class /= 2 {
		all = append(all, class)
	}
	return all
}()

// Vault is where secrets are kept: a [sessioncache.Cache] for processes that share a store,
// or records of package live for one process.
type Vault interface {
	// AddRecord stores a value where there is none of that name: else it returns sessioncache.ErrExists.
	AddRecord(ctx context.Context, name string, value []byte, expires int64) error
	// Record returns the values of a name. The first is the one that counts.
	Record(ctx context.Context, name string) ([]sessioncache.Recorded, error)
	// ExpireRecords leaves nothing of what has expired.
	ExpireRecords(ctx context.Context) error
	// RecordRoom is how many values there can be.
	RecordRoom() int
}

// Plan says which secrets are wanted.
type Plan struct {
	Now    int64 // unix seconds
	Period int64 // seconds
	Keep   int64 // for how many seconds after its period a ticket of this server may be used
}

// Secret is the one of a period. What is sealed under it may be used until it ends.
type Secret struct {
	Value        [Size]byte
	Begins, Next int64 // its period, in unix seconds, and the one after it
	Ends         int64 // the last second
	Kept         int64 // its class: for how many seconds after its period
	First        bool  // it is the one of its period and class, and no other that an older sealing key has left
	Seals        bool  // it is the one that is sealed under, and not only opened
	Tally        *sessioncache.Tally
}

// Read returns the secrets that may be used now, newest first: the next one, the current one and
// older ones, of all classes. Those of the plan's class for the next and the current period it makes where they are missing, of what
// fresh draws. Where it cannot have one of these the error says why, and the others are returned.
func Read(ctx context.Context, vault Vault, plan Plan, fresh func([]byte)) (secrets []Secret, err error) {
	err = vault.ExpireRecords(ctx)
	own, current := plan.class(vault.RecordRoom()), plan.Now/plan.Period
	for number := current + 1; plan.endOf(number, Longest) >= plan.Now && number >= 0; number-- {
		for _, class := range classes {
			if plan.endOf(number, class) < plan.Now {
				break
			}
			values, failed := vault.Record(ctx, plan.name(number, class))
			if len(values) == 0 && failed == nil && number >= current && class == own {
				values, failed = plan.make(ctx, vault, number, class, fresh)
			}
			if err == nil {
				err = failed // the first one says why
			}
			for i, value := range values {
				s := plan.secret(number, class, value, i == 0)
				s.Seals = s.First && class == own
				secrets = append(secrets, s)
				clear(value.Value)
			}
		}
	}
	return secrets, err
}

// Missing returns the names of the secrets that Read would make.
func Missing(ctx context.Context, vault Vault, plan Plan) (names []string) {
	own, current := plan.class(vault.RecordRoom()), plan.Now/plan.Period
	for _, number := range []int64{current, current + 1} {
		name := plan.name(number, own)
		values, err := vault.Record(ctx, name)
		if len(values) == 0 && err == nil {
			names = append(names, name)
		}
		for _, value := range values {
			clear(value.Value)
		}
	}
	return names
}

// Wipe zeroes secrets.
func Wipe(secrets []Secret) { clear(secrets) }

func (p Plan) name(number, class int64) string {
	return fmt.Sprintf("ticket secret %d of %d s, kept %d s", number, p.Period, class)
}

// class is the shortest one that is as long as the plan wants; where the secrets of that would take more than half of the
// room, which leaves as much for all shorter ones, the longest that does not.
func (p Plan) class(room int) int64 {
	most := int64(room/2-spare) * p.Period
	for i, class := range classes {
		isLast := i == len(classes)-1 || classes[i+1] < p.Keep
		if isLast && class <= most {
			return class
		}
	}
	return classes[len(classes)-1]
}

// endOf is the last second in which the secret of a period and class may be used.
func (p Plan) endOf(number, class int64) int64 {
	return (number+1)*p.Period + class + Apart
}

func (p Plan) secret(number, class int64, value sessioncache.Recorded, first bool) (s Secret) {
	s = Secret{
		Begins: number * p.Period, Next: (number + 1) * p.Period, Ends: p.endOf(number, class), Kept: class,
		First: first && len(value.Value) == Size, Tally: value.Tally,
	}
	copy(s.Value[:], value.Value)
	return s
}

// make makes the secret of a period, unless somebody else is first: then that one is it.
func (p Plan) make(ctx context.Context, vault Vault, number, class int64, fresh func([]byte)) ([]sessioncache.Recorded, error) {
	var value [Size]byte
	defer clear(value[:])
	fresh(value[:])
	err := vault.AddRecord(ctx, p.name(number, class), value[:], p.endOf(number, class))
	if err != nil && !errors.Is(err, sessioncache.ErrExists) {
		return nil, err
	}
	return vault.Record(ctx, p.name(number, class)) // not what was drawn: all have what is there
}
