package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"gosess/internal/regular"
)

type knownService struct{ name, hint string }

// services are those of Debian whose program gosess is known to serve as it comes. Where there is one, hint says what else to do.
var services = []knownService{
	{"nginx", "before nginx upgrades its binary (USR2), name the variables in nginx.conf: env LD_PRELOAD; env GOSESS_CACHE; env GOSESS_TICKETS;"},
	{"haproxy", ""},
	{"apache2", ""},
}

const (
	dropInName = "50-gosess.conf"
	dropInNew  = ".50-gosess.new" // until it is whole
	dropInMark = "# Made by gosess enable. gosess disable takes it away."
)

func serviceNames() string {
	var names []string
	for _, s := range services {
		names = append(names, s.name)
	}
	return strings.Join(names, "|")
}

// prepareEnable writes a drop-in of systemd, systemd.unit(5), that preloads the library into a service.
func prepareEnable(flags *flag.FlagSet) action {
	cache := flags.String("cache", "", "`URL` of the store (else shm:/var/lib/gosess/SERVICE?size=64m)")
	tickets := flags.String("tickets", "shared", "`"+strings.Join(ticketKinds, "|")+"`: what becomes of session tickets")
	root, asJSON := rootOption(flags), jsonOption(flags)
	show := flags.Bool("show", false, "print the file, and write nothing")
	return func(out *output, operands []string) error {
		name, err := serviceOf("enable", operands)
		if err != nil {
			return err
		}
		if !slices.Contains(ticketKinds, *tickets) {
			return usageError{fmt.Sprintf("enable: tickets %q is unknown; allowed: %s", *tickets, strings.Join(ticketKinds, ", "))}
		}
		if *cache == "" {
			*cache = "shm:/var/lib/gosess/" + name + "?size=64m"
		}
		library, err := findLibrary()
		if err != nil {
			return err
		}
		text, err := dropIn(library, *cache, *tickets)
		if err != nil {
			return err
		}
		path := dropInPath(*root, name)
		if !*show {
			if err := inFolder(*root, path, true, func(folder *os.Root) error { return write(folder, text) }); err != nil {
				return err
			}
		}
		switch {
		case *asJSON:
			return writeObject(out, object{{"path", path}, {"text", text}, {"written", !*show}, {"hint", hintOf(name)}, {"next", restart(name)}})
		case *show:
			_, err := fmt.Fprint(out, text)
			return err
		}
		fmt.Fprintf(out, "wrote %s:\n\n%s\n", path, text)
		if hint := hintOf(name); hint != "" {
			fmt.Fprintln(out, hint)
		}
		return sayNext(out, name, "gosess disable "+name+" undoes it")
	}
}

// prepareDisable removes what enable has written.
func prepareDisable(flags *flag.FlagSet) action {
	root, asJSON := rootOption(flags), jsonOption(flags)
	return func(out *output, operands []string) error {
		name, err := serviceOf("disable", operands)
		if err != nil {
			return err
		}
		path := dropInPath(*root, name)
		err = inFolder(*root, path, false, remove)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is not enabled: %w", name, err)
		}
		if err != nil {
			return err
		}
		_ = syscall.Rmdir(filepath.Dir(path)) // it stays where it is not empty, and where it is a link
		if *asJSON {
			return writeObject(out, object{{"removed", path}, {"next", restart(name)}})
		}
		fmt.Fprintf(out, "removed %s\n", path)
		return sayNext(out, name, "its store stays in /var/lib/gosess")
	}
}

func rootOption(flags *flag.FlagSet) *string {
	return flags.String("root", "/", "`DIRECTORY` that holds the system: an image, a container")
}

func serviceOf(command string, operands []string) (string, error) {
	if len(operands) != 1 || !slices.Contains(strings.Split(serviceNames(), "|"), operands[0]) {
		return "", usageError{fmt.Sprintf("%s takes one service: %s", command, strings.ReplaceAll(serviceNames(), "|", ", "))}
	}
	return operands[0], nil
}

func dropInPath(root, service string) string {
	return filepath.Join(root, "etc/systemd/system", service+".service.d", dropInName)
}

// dropIn is the text of the file. In a value that is quoted, systemd.exec(5), a per cent sign is doubled.
func dropIn(library, cache, tickets string) (string, error) {
	if strings.ContainsAny(cache, "\"\\\n\r") {
		return "", usageError{fmt.Sprintf("enable: the URL %q cannot be written into a unit; allowed are paths without quotes, backslashes and line ends", cache)}
	}
	return dropInMark + `
[Service]
Environment=LD_PRELOAD=` + library + `
Environment="GOSESS_CACHE=` + strings.ReplaceAll(cache, "%", "%%") + `"
Environment=GOSESS_TICKETS=` + tickets + `
StateDirectory=gosess
`, nil
}

// inFolder does something in the folder of a drop-in, which is made where that is wanted and it is not there. In the system that
// this program runs in, links lead where they say; below another root none does that leads out of it: in an image, it would lead
// into this system.
func inFolder(root, path string, wanted bool, do func(folder *os.Root) error) error {
	folder, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	if filepath.Clean(root) == "/" {
		folder = strings.TrimPrefix(followed(followed("/etc/systemd/system")+"/"+filepath.Base(folder)), "/")
	}
	system, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer system.Close()
	if wanted {
		if err := system.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	opened, err := system.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer opened.Close()
	if err := do(opened); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// followed is a path without its links, or as it is where nothing is there.
func followed(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// remove removes the file, if it is ours.
func remove(folder *os.Root) error {
	if err := mayReplace(folder); err != nil {
		return err
	}
	return folder.Remove(dropInName)
}

// mayReplace reports an error where the file is somebody else's, as a link is, or anything else that is no regular file.
func mayReplace(folder *os.Root) error {
	info, err := folder.Lstat(dropInName)
	if err != nil {
		return err
	}
	begin := make([]byte, len(dropInMark))
	if info.Mode().IsRegular() {
		file, err := folder.OpenFile(dropInName, os.O_RDONLY|regular.NoWait, 0)
		if err != nil {
			return err
		}
		defer file.Close()
		_, _ = io.ReadFull(file, begin) // it may be shorter
	}
	if string(begin) != dropInMark {
		return errors.New("it was not made by gosess enable, and stays as it is")
	}
	return nil
}

// write writes the file: whole, so that systemd never reads half of it. What an earlier attempt has left is no obstacle.
func write(folder *os.Root, text string) (err error) {
	if err := mayReplace(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := folder.Remove(dropInNew); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := folder.OpenFile(dropInNew, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = folder.Remove(dropInNew)
		}
	}()
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return folder.Rename(dropInNew, dropInName)
}

func hintOf(service string) string {
	n := slices.IndexFunc(services, func(s knownService) bool { return s.name == service })
	return services[n].hint
}

// restart is what makes a change count.
func restart(service string) string { return "systemctl daemon-reload && systemctl restart " + service }

// sayNext says what to do next: restarting a server is for its operator to decide.
func sayNext(out *output, service, also string) error {
	_, err := fmt.Fprintf(out, "next: %s (a reload keeps the old environment); %s\n", restart(service), also)
	return err
}
