package shim_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// parsed is one of the libraries.
func parsed(t *testing.T, library string) *elf.File {
	t.Helper()
	path, err := harness.Built(library)
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// Are the libraries what the loader is to see: the listed names, no libssl, nothing writable or lazy?
func TestLibraries(t *testing.T) {
	for _, test := range []struct{ library, list, soname string }{
		{"libgosess.so", "tests/exports.txt", "libgosess.so.0"},
		{"libgosess-core.so", "tests/exports-core.txt", ""},
	} {
		file := parsed(t, test.library)
		symbols, err := file.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		var defined []string
		for _, symbol := range symbols {
			if symbol.Section != elf.SHN_UNDEF {
				defined = append(defined, symbol.Name)
			}
		}
		slices.Sort(defined)
		list, err := os.ReadFile(filepath.Join(root, test.list))
		if err != nil {
			t.Fatal(err)
		}
		if listed := strings.Fields(string(list)); !slices.Equal(defined, listed) {
			t.Errorf("%s exports %v, not %v", test.library, defined, listed)
		}
		needed, err := file.ImportedLibraries()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range needed {
			if strings.HasPrefix(name, "libssl") || strings.HasPrefix(name, "libcrypto") {
				t.Errorf("%s needs %s", test.library, name)
			}
		}
		if soname, _ := file.DynString(elf.DT_SONAME); test.soname != "" && !slices.Contains(soname, test.soname) {
			t.Errorf("%s has soname %v", test.library, soname)
		}
		flags, err := file.DynValue(elf.DT_FLAGS_1)
		if err != nil || len(flags) != 1 {
			t.Fatal(err, flags)
		}
		if want := uint64(elf.DF_1_NOW | elf.DF_1_NODELETE); flags[0]&want != want {
			t.Errorf("%s has flags %v", test.library, elf.DynFlag1(flags[0]))
		}
		if !slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_RELRO }) {
			t.Errorf("%s is writable after relocation", test.library)
		}
	}
}

// Does the public header compile alone, in every language that may include it?
func TestHeader(t *testing.T) {
	source := filepath.Join(t.TempDir(), "header.c")
	if err := os.WriteFile(source, []byte("#include <gosess.h>\nint unused;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, compiler := range []string{"gcc", "clang", "g++", "clang++"} {
		if _, err := exec.LookPath(compiler); err != nil {
			t.Logf("no %s", compiler)
			continue
		}
		dialects := []string{"-xc -std=c99", "-xc -std=c11"}
		if strings.HasSuffix(compiler, "++") {
			dialects = []string{"-xc++ -std=c++17"}
		}
		for _, dialect := range dialects {
			arguments := append(strings.Fields(dialect), "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I"+root+"/include", source)
			if output, err := exec.Command(compiler, arguments...).CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v\n%s", compiler, dialect, err, output)
			}
		}
	}
}
