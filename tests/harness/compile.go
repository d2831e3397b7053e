package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// Compile makes a file with a compiler of C, at the top of the source tree, from where the arguments name its files.
func Compile(path, compiler string, arguments ...string) error {
	top, err := Root()
	if err != nil {
		return err
	}
	compiler, its := TestedMachine().compiler(compiler)
	cmd := exec.Command(compiler, slices.Concat([]string{"-std=gnu11", "-g", "-O1", "-o", path}, its, arguments)...)
	cmd.Dir = top
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s does not make %s: %w\n%s", compiler, filepath.Base(path), err, output)
	}
	return nil
}

// SharedObject makes a library that is preloaded, or stands in for the Go half, of one source.
func SharedObject(path, source string, more ...string) error {
	return Compile(path, "cc", append([]string{"-shared", "-fPIC", source}, more...)...)
}

// Library is the sources that the programs of the tests have in common (tests/c/lib).
func Library() ([]string, error) { return Sources("tests/c/lib/*.c") }

// ProgramFile is where a program is that the tests of a folder run: in its programs/, or in tests/c/programs where others run it too.
func ProgramFile(folder, name string) string {
	own := "tests/" + folder + "/programs/" + name + ".c"
	if _, err := Sources(own); err == nil {
		return own
	}
	return "tests/c/programs/" + name + ".c"
}

// Sources are the files of these patterns, each of which must have some.
func Sources(patterns ...string) ([]string, error) {
	top, err := Root()
	if err != nil {
		return nil, err
	}
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, errors.New("there is no " + pattern)
		}
		files = append(files, found...)
	}
	return files, nil
}

// Workshop is where the tests of a package compile what they run: each file once, whoever asks for it first.
type Workshop struct {
	dir   string
	mutex sync.Mutex
	made  map[string]func() error
}

// Main runs the tests of a package. What they compile goes with them, and may be run by any user.
func (w *Workshop) Main(m *testing.M) int {
	var err error
	if w.dir, err = os.MkdirTemp("", "gosess-tests-"); err == nil {
		err = os.Chmod(w.dir, 0o755)
	}
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(w.dir)
	w.made = map[string]func() error{}
	return Together(m)
}

// Compile makes the file of that name, where it is not there yet, and returns its path: see the function Compile.
func (w *Workshop) Compile(t testing.TB, name, compiler string, arguments ...string) (path string) {
	t.Helper()
	path = filepath.Join(w.dir, name)
	w.mutex.Lock()
	made := w.made[name]
	if made == nil {
		made = sync.OnceValue(func() error { return Compile(path, compiler, arguments...) })
		w.made[name] = made
	}
	w.mutex.Unlock()
	if err := made(); err != nil {
		t.Fatal(err)
	}
	return path
}

// Library is what the programs have in common, compiled, for programs and for libraries.
func (w *Workshop) Library(t testing.TB) (object string) {
	t.Helper()
	sources, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	return w.Compile(t, "library.o", "cc", append([]string{"-r", "-fPIC"}, sources...)...)
}
