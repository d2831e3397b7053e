// Package system is what an agent asks of its machine besides the store: to become another user, and to tell
// systemd how it is.
package system

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// Identity is a user with a group.
type Identity struct {
	Name     string
	uid, gid int
}

// Find looks a user up by name.
func Find(name string) (Identity, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return Identity{}, fmt.Errorf("user %q: there is none of that name", name)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return Identity{}, fmt.Errorf("user %q has the number %q", name, u.Uid)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return Identity{}, fmt.Errorf("user %q has the group %q", name, u.Gid)
	}
	return Identity{Name: name, uid: uid, gid: gid}, nil
}

// Become makes all threads of this process, which is root's, those of the user, in its own group alone. There is no
// way back.
func (i Identity) Become() error {
	if i.uid == 0 {
		return errors.New("the agent does not stay root; allowed: --user with a user of less rights")
	}
	if err := syscall.Setgroups([]int{i.gid}); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setresgid(i.gid, i.gid, i.gid); err != nil {
		return fmt.Errorf("setresgid: %w", err)
	}
	if err := syscall.Setresuid(i.uid, i.uid, i.uid); err != nil {
		return fmt.Errorf("setresuid: %w", err)
	}
	if syscall.Setuid(0) == nil {
		return errors.New("the process could become root again")
	}
	return nil
}
