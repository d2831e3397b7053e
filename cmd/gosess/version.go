package main

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"gosess/capi/settings"
	"gosess/internal/regular"
	"gosess/sessioncache/shm"
)

// half is what a file of the library says of itself.
type half struct {
	path, version, abi, note string
}

// installed is what gosess run would preload, and what that would meet.
type installed struct {
	library, core half
	libssl        settings.Libssl
}

func prepareVersion(flags *flag.FlagSet) action {
	asJSON := jsonOption(flags)
	return func(out *output, operands []string) error {
		if len(operands) != 0 {
			return usageError{"version takes no arguments"}
		}
		found := lookAround()
		if *asJSON {
			return found.writeJSON(out)
		}
		return found.write(out)
	}
}

// writeVersion is what gosess --version prints.
func writeVersion(out *output) error {
	_, err := fmt.Fprintln(out, "gosess", settings.Version)
	return err
}

func lookAround() (found installed) {
	var err error
	if found.library.path, err = findLibrary(); err != nil {
		found.library.note = err.Error()
	} else {
		found.library.read()
	}
	if found.library.path != "" {
		if found.core.path, err = corePath(found.library.path); err != nil {
			found.core.note = err.Error()
		} else {
			found.core.read()
		}
	}
	found.libssl = settings.SeenLibssl()
	return found
}

// read reads the mark that both halves have: shim.h, GOSESS_MARK.
func (h *half) read() {
	file, err := regular.Open(h.path, os.O_RDONLY)
	if err != nil {
		h.note = err.Error()
		return
	}
	defer file.Close()
	if h.version, h.abi, err = markOf(file); err != nil {
		h.note = err.Error()
		return
	}
	if built, err := buildinfo.Read(file); err == nil {
		h.note = built.GoVersion
	}
}

func markOf(opened *os.File) (version, abi string, err error) {
	file, err := elf.NewFile(opened)
	if err != nil {
		return "", "", err
	}
	section := file.Section(".gosess")
	if section == nil {
		return "", "", errors.New("has no mark of gosess")
	}
	text, err := section.Data()
	if err != nil {
		return "", "", err
	}
	fields := strings.Fields(strings.TrimRight(string(text), "\x00"))
	if len(fields) != 2 {
		return "", "", errors.New("has a mark that is none of gosess")
	}
	return fields[0], fields[1], nil
}

// fits reports whether the two halves are of one kind: else a server serves without a cache.
func (found *installed) fits() bool {
	return found.core.abi != "" && found.core.abi == found.library.abi
}

func (found *installed) write(out *output) error {
	if err := writeVersion(out); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, strings.TrimRight(strings.Join(cells, "\t"), "\t")) }
	row("command", settings.Version, runtime.Version(), self)
	for _, h := range []struct {
		name string
		half
	}{{"library", found.library}, {"Go half", found.core}} {
		switch {
		case h.version != "":
			row(h.name, h.version, strings.TrimPrefix(h.note+", ABI "+h.abi, ", "), h.path)
		case h.path != "" || h.note != "":
			row(h.name, "none", h.note, h.path)
		}
	}
	row("store", fmt.Sprint("format ", shm.Version))
	if found.libssl.Version != "" {
		row("libssl", found.libssl.Number, found.libssl.Version, found.libssl.Path)
	} else {
		row("libssl", "none", "servers that are linked to it cannot run here")
	}
	if err := table.Flush(); err != nil || found.fits() || found.core.version == "" {
		return err
	}
	_, err = fmt.Fprintln(out, out.bad("The two halves do not fit each other: servers serve without a cache."))
	return err
}

func (found *installed) writeJSON(out *output) error {
	one := func(h half) object {
		return object{{"path", h.path}, {"version", h.version}, {"abi", h.abi}, {"note", h.note}}
	}
	return writeObject(out, object{
		{"version", settings.Version},
		{"go", runtime.Version()},
		{"library", one(found.library)},
		{"core", one(found.core)},
		{"fits", found.fits()},
		{"storeFormat", shm.Version},
		{"libssl", object{{"path", found.libssl.Path}, {"version", found.libssl.Version}}},
	})
}
