// Package symbols_test looks at the libraries that make build has made: what they export,
// what they need and how they are linked.
package symbols_test

import (
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var libraries = []struct{ file, exports, soname string }{
	{"libgosess.so", "exports.txt", "libgosess.so.0"},
	{"libgosess-core.so", "exports-core.txt", "libgosess-core.so"},
}

func open(t *testing.T, file string) *elf.File {
	t.Helper()
	f, err := elf.Open(filepath.Join(root, "build", file))
	if err != nil {
		t.Fatalf("%v (make build makes it)", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestExports(t *testing.T) {
	for _, library := range libraries {
		t.Run(library.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root, "tests", library.exports))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(string(text))
			symbols, err := open(t, library.file).DynamicSymbols()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range symbols {
				if s.Section != elf.SHN_UNDEF {
					got = append(got, s.Name)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("it exports %v, %s has %v", got, library.exports, want)
			}
		})
	}
}

func TestNeeded(t *testing.T) {
	for _, library := range libraries {
		t.Run(library.file, func(t *testing.T) {
			needed, err := open(t, library.file).ImportedLibraries()
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range needed {
				// Since glibc 2.34 there is libc alone; before, libdl and libpthread are there too.
				if !slices.Contains([]string{"libc.so.6", "ld-linux-x86-64.so.2", "libdl.so.2", "libpthread.so.0", "libresolv.so.2"}, name) {
					t.Errorf("it needs %s", name)
				}
			}
		})
	}
}

func TestLinkage(t *testing.T) {
	for _, library := range libraries {
		t.Run(library.file, func(t *testing.T) {
			f := open(t, library.file)
			flags, err := f.DynValue(elf.DT_FLAGS_1)
			if err != nil || len(flags) != 1 {
				t.Fatalf("DT_FLAGS_1: %v, %v", flags, err)
			}
			for _, want := range []elf.DynFlag1{elf.DF_1_NOW, elf.DF_1_NODELETE} {
				if elf.DynFlag1(flags[0])&want == 0 {
					t.Errorf("not %v", want)
				}
			}
			if !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_RELRO }) {
				t.Error("no RELRO segment")
			}
			if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool {
				return p.Type == elf.PT_GNU_STACK && p.Flags&elf.PF_X != 0
			}) {
				t.Error("an executable stack")
			}
			soname, err := f.DynString(elf.DT_SONAME)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(soname, " "); got != library.soname {
				t.Errorf("soname %q, want %q", got, library.soname)
			}
		})
	}
}

func TestTheCHalfHoldsNoGo(t *testing.T) {
	for _, section := range open(t, "libgosess.so").Sections {
		if strings.HasPrefix(section.Name, ".go.") || section.Name == ".gopclntab" {
			t.Errorf("section %s", section.Name)
		}
	}
}
