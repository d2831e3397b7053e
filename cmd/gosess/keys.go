package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gosess/capi/settings"
	"gosess/internal/inspect"
	"gosess/internal/regular"
	"gosess/sessioncache"
)

// keyChange makes other keys of those of a file, newest first, and of those that stores know instead. It says what it has done.
type keyChange func(file string, keys, renewed [][]byte) (changed [][]byte, said string, err error)

// prepareKeys changes a key file, and has the servers of some stores know.
func prepareKeys(name string, change keyChange) func(*flag.FlagSet) action {
	return func(flags *flag.FlagSet) action {
		asJSON, pid := jsonOption(flags), pidOption(flags)
		return func(out *output, operands []string) error {
			if len(operands) == 0 {
				return usageError{name + " takes a key file, and the URLs of stores"}
			}
			stores, err := storesToChange(*pid, operands[1:])
			for _, store := range stores {
				defer store.Close()
			}
			if err != nil {
				return err
			}
			said, err := changeKeys(operands[0], stores, change)
			if err != nil {
				return err
			}
			names := []string{}
			for _, store := range stores {
				names = append(names, store.Name)
			}
			if *asJSON {
				return writeObject(out, object{{"file", operands[0]}, {"done", said}, {"stores", names}})
			}
			_, err = fmt.Fprintf(out, "%s %s; %s\n", operands[0], said, whoKnows(names))
			return err
		}
	}
}

func storesToChange(pid int, urls []string) (stores []*inspect.Store, err error) {
	if pid > 0 {
		store, err := inspect.ByProcess(pid, inspect.ToChange)
		if err != nil {
			return nil, err
		}
		stores = append(stores, store)
	}
	for _, url := range urls {
		store, err := inspect.ByURL(url, inspect.ToChange)
		if err != nil {
			return stores, err
		}
		stores = append(stores, store)
	}
	return stores, nil
}

func whoKnows(stores []string) string {
	if len(stores) == 0 {
		return "servers read it when they are started"
	}
	return "the servers that use store " + strings.Join(stores, ", ") + " know"
}

// changeKeys announces new keys before the file has them: if it comes to nothing more, the next call finds them in the stores.
func changeKeys(file string, stores []*inspect.Store, change keyChange) (said string, err error) {
	opened, unlock, err := lock(file)
	if err != nil {
		return "", err
	}
	defer unlock()
	before, text, err := settings.ReadKeyFile(opened)
	if err != nil {
		return "", err
	}
	renewed := before
	for _, store := range stores {
		if renewed, err = store.RenewedKeys(renewed); err != nil {
			return "", err
		}
	}
	keys, said, err := change(file, before, renewed)
	if err != nil {
		return "", err
	}
	lines := keyLines(text, before, keys)
	if len(lines) > settings.KeyFileMost { // no server would read it
		return "", fmt.Errorf("%s would have %d bytes, and more than %d are not allowed; take lines that begin with # out of it", file, len(lines), settings.KeyFileMost)
	}
	commit, cancel, err := prepareFile(opened, lines)
	if err != nil {
		return "", err
	}
	defer cancel()
	for _, store := range stores {
		if err := store.AnnounceKeys(keys); errors.Is(err, sessioncache.ErrOtherKey) {
			return "", fmt.Errorf("%w: %s is not the key file of all who share it; copy that of another machine", err, file)
		} else if err != nil {
			return "", err
		}
	}
	return said, commit()
}

// lock keeps other commands from changing a key file meanwhile, which would each write what it has read: of two new keys one would
// be lost, under which servers may seal already.
func lock(path string) (opened *os.File, unlock func(), err error) {
	opened, err = regular.Open(path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w (gosess keygen makes a key)", err)
	}
	if err != nil {
		return nil, nil, err
	}
	locked, err := opened.Stat()
	if err == nil {
		err = syscall.Flock(int(opened.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	now, err2 := os.Stat(path)
	if errors.Is(err, syscall.EWOULDBLOCK) || err == nil && err2 == nil && !os.SameFile(locked, now) {
		err = fmt.Errorf("%s: another command changes it just now; allowed: one at a time", path)
	}
	if err = errors.Join(err, err2); err != nil {
		opened.Close()
		return nil, nil, err
	}
	return opened, func() { opened.Close() }, nil
}

func isSame(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

func rotate(file string, keys, renewed [][]byte) ([][]byte, string, error) {
	if !isSame(keys, renewed) {
		return nil, "", errBehind(file)
	}
	if len(keys) >= sessioncache.KeysMost {
		return nil, "", fmt.Errorf("%s has %d keys, and more are not allowed; gosess keys drop takes the oldest away", file, len(keys))
	}
	fresh := make([]byte, sessioncache.KeySize)
	rand.Read(fresh)
	return slices.Insert(slices.Clone(keys), 0, fresh), "has a new key", nil
}

func drop(file string, keys, renewed [][]byte) ([][]byte, string, error) {
	if !isSame(keys, renewed) {
		return nil, "", errBehind(file)
	}
	if len(keys) < 2 {
		return nil, "", fmt.Errorf("%s has one key; gosess keys rotate makes another one", file)
	}
	return keys[:len(keys)-1], "has lost its oldest key", nil
}

func errBehind(file string) error {
	return fmt.Errorf("the store knows of other keys than %s has: run gosess keys update first", file)
}

func update(_ string, keys, renewed [][]byte) ([][]byte, string, error) {
	if isSame(keys, renewed) {
		return keys, "is as it was", nil
	}
	return renewed, "has changed", nil
}

// prepareFile writes a file beside one that is open, whose place commit has it take, with the owner and the mode of that.
func prepareFile(opened *os.File, text []byte) (commit func() error, cancel func(), err error) {
	path, err := filepath.EvalSymlinks(opened.Name()) // what an operator names may be a link
	if err != nil {
		return nil, nil, err
	}
	info, err := opened.Stat()
	if err != nil {
		return nil, nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return nil, nil, err
	}
	cancel = func() { os.Remove(file.Name()) }
	_, err = file.Write(text)
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && err == nil && int(owner.Uid) != os.Geteuid() {
		err = file.Chown(int(owner.Uid), int(owner.Gid))
	}
	if err = errors.Join(err, file.Chmod(info.Mode().Perm()), file.Sync(), file.Close()); err != nil {
		cancel()
		return nil, nil, err
	}
	return func() error { return os.Rename(file.Name(), path) }, cancel, nil
}

// keyLines is a key file with other keys. Those after the last that was there before are added at the beginning, and the rest stays as it is.
func keyLines(text []byte, before, after [][]byte) (lines []byte) {
	added := slices.IndexFunc(after, func(key []byte) bool { return bytes.Equal(key, before[0]) })
	if added < 0 {
		added = len(after) // none of those before is left
	}
	n := 0
	for line := range bytes.Lines(text) {
		isKey := len(bytes.TrimRight(line, "\r\n")) > 0 && line[0] != '#' // as shim/config/keys.c
		if isKey && n == 0 {
			for _, key := range after[:added] {
				lines = append(base64.StdEncoding.AppendEncode(lines, key), '\n')
			}
		}
		if !isKey || n < len(after)-added {
			lines = append(lines, line...)
		}
		if isKey {
			n++
		}
	}
	return lines
}
