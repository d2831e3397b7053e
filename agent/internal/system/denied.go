package system

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// What is wanted of a file, as access(2) has it.
const (
	ToRead  = 4
	ToWrite = 2
	toEnter = 1

	atHere    = -100  // AT_FDCWD of openat(2)
	effective = 0x200 // AT_EACCESS of faccessat(2)
)

// A deniedError says why a file could not be opened, and what to do.
type deniedError struct {
	error
	cure string
}

func (e deniedError) Error() string { return e.error.Error() + ": " + e.cure }
func (e deniedError) Unwrap() error { return e.error }

// Explained adds what to do to the error of a process that may not open a file, and leaves others as they are.
func Explained(err error, wanted uint32) error {
	var file *fs.PathError
	var already deniedError
	switch {
	case errors.As(err, &already) || !errors.As(err, &file):
		return err
	case errors.Is(file.Err, syscall.EROFS):
		return deniedError{err, "allowed: a folder that ReadWritePaths= of the agent's unit names, or one more there"}
	case !errors.Is(file.Err, fs.ErrPermission):
		return err
	}
	return deniedError{err, cure(file.Path, wanted, "to start the agent as root, which becomes --user when it has opened its files, or as")}
}

// SocketCure says what keeps this process, which has become its own user, from a Unix socket, and what helps.
func SocketCure(path string) string {
	return cure(path, ToWrite, "another mode of it (unixsocketperm of Valkey and Redis), or --user with")
}

// cure says what keeps this process from a file, and which user may open it, or what else is allowed.
func cure(path string, wanted uint32, allowed string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	closed, wanted := closedOf(path, wanted)
	info, err := os.Stat(closed)
	if closed == "" || err != nil {
		return "its mode and those of its folders do not say why; look at what else confines the agent: its unit, its container, AppArmor, SELinux"
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	what, as := closed, strconv.Quote(userName(os.Geteuid()))
	if info.IsDir() {
		what = "the folder " + what
	}
	said := fmt.Sprintf("%s, of user %q and group %q with mode %04o, is closed to user %s", what, userName(int(owner.Uid)), groupName(int(owner.Gid)), info.Mode().Perm(), as)
	if os.Geteuid() == 0 {
		return said + ", who may not pass by modes here; allowed: CAP_DAC_OVERRIDE (CapabilityBoundingSet= of its unit), or to start the agent as that user"
	}
	said += fmt.Sprintf("; allowed: %s user %q", allowed, userName(int(owner.Uid)))
	if uint32(info.Mode().Perm())>>3&wanted == wanted {
		said += fmt.Sprintf(", or one whose group is %q", groupName(int(owner.Gid)))
	}
	return said
}

// closedOf is what does not let this process through to a file, and what is wanted of that.
func closedOf(path string, wanted uint32) (closed string, of uint32) {
	denies := func(path string, wanted uint32) bool {
		return errors.Is(syscall.Faccessat(atHere, path, wanted, effective), syscall.EACCES)
	}
	var folders []string
	for folder := filepath.Dir(path); folder != "/" && folder != "."; folder = filepath.Dir(folder) {
		folders = append([]string{folder}, folders...)
	}
	for _, folder := range folders {
		if denies(folder, toEnter) {
			return folder, toEnter
		}
	}
	if denies(path, wanted) {
		return path, wanted
	}
	return "", wanted
}

func userName(id int) string {
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		return u.Username
	}
	return strconv.Itoa(id)
}

func groupName(id int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(id)); err == nil {
		return g.Name
	}
	return strconv.Itoa(id)
}
