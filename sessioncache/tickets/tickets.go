// Package tickets makes the secrets that session tickets are sealed under, and shares them between
// processes.
//
// Time is cut into periods, and each has one random secret. Whoever comes first makes it, one period
// ahead, and so each process has it before anybody uses it, if their clocks are less than a period
// apart. Nothing is derived from anything that lives longer: what is sealed in a period cannot be opened
// once its secret is destroyed.
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

	// Of the room for records so many are left: for the next period and the current one, and for what is
	// kept half a minute longer.
	spare = 4
)

// Vault is where secrets are kept: a [sessioncache.Cache] for processes that share a store,
// or records of package live for one process.
type Vault interface {
	// AddRecord stores a value where there is none of that name: else it returns sessioncache.ErrExists.
	AddRecord(ctx context.Context, name string, value []byte, expires int64) error
	// Record returns the values of a name. The first is the one that counts.
	Record(ctx context.Context, name string) ([][]byte, error)
	// ExpireRecords leaves nothing of what has expired.
	ExpireRecords(ctx context.Context) error
	// RecordRoom is how many values there can be.
	RecordRoom() int
}

// Plan says which secrets are wanted.
type Plan struct {
	Now    int64 // unix seconds
	Period int64 // seconds
	Keep   int64 // for how many seconds after its period a ticket of it may be used
}

// Secret is the one of a period. What is sealed under it may be used until it ends.
type Secret struct {
	Value        [Size]byte
	Begins, Next int64 // its period, in unix seconds, and the one after it
	Ends         int64 // the last second
	Seals        bool  // it is the one that is sealed under, and not only opened
}

// Read returns the secrets that may be used now, newest first: the next one, the current one and
// older ones, as many as the plan wants and the vault has room for. Those of the next and the current period it makes where they are missing, of what
// fresh draws. Where it cannot have one of these the error says why, and the others are returned.
func Read(ctx context.Context, vault Vault, plan Plan, fresh func([]byte)) (secrets []Secret, err error) {
	err = vault.ExpireRecords(ctx)
	plan.Keep = min(plan.Keep, Longest, max(0, int64(vault.RecordRoom()-spare)*plan.Period))
	current := plan.Now / plan.Period
	for number := current + 1; plan.endOf(number) >= plan.Now && number >= 0; number-- {
		values, failed := vault.Record(ctx, plan.name(number))
		if len(values) == 0 && failed == nil && number >= current {
			values, failed = plan.make(ctx, vault, number, fresh)
		}
		if err == nil {
			err = failed // the first one says why
		}
		for i, value := range values {
			secrets = append(secrets, plan.secret(number, value, i == 0))
			clear(value)
		}
	}
	return secrets, err
}

// Missing returns the names of the secrets that Read would make.
func Missing(ctx context.Context, vault Vault, plan Plan) (names []string) {
	current := plan.Now / plan.Period
	for _, number := range []int64{current, current + 1} {
		values, err := vault.Record(ctx, plan.name(number))
		if len(values) == 0 && err == nil {
			names = append(names, plan.name(number))
		}
		for _, value := range values {
			clear(value)
		}
	}
	return names
}

// Wipe zeroes secrets.
func Wipe(secrets []Secret) { clear(secrets) }

func (p Plan) name(number int64) string {
	return fmt.Sprintf("ticket secret %d of %d s", number, p.Period)
}

// endOf is the last second in which the secret of a period may be used.
func (p Plan) endOf(number int64) int64 {
	return (number+1)*p.Period + p.Keep + Apart
}

func (p Plan) secret(number int64, value []byte, seals bool) (s Secret) {
	s = Secret{Begins: number * p.Period, Next: (number + 1) * p.Period, Ends: p.endOf(number), Seals: seals && len(value) == Size}
	copy(s.Value[:], value)
	return s
}

// make makes the secret of a period, unless somebody else is first: then that one is it.
func (p Plan) make(ctx context.Context, vault Vault, number int64, fresh func([]byte)) ([][]byte, error) {
	var value [Size]byte
	defer clear(value[:])
	fresh(value[:])
	err := vault.AddRecord(ctx, p.name(number), value[:], p.endOf(number))
	if err != nil && !errors.Is(err, sessioncache.ErrExists) {
		return nil, err
	}
	return vault.Record(ctx, p.name(number)) // not what was drawn: all have what is there
}
