package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plant makes a tree of files in a directory that is the current one then, and compiles what is C in it.
func plant(t *testing.T, tree map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range tree {
		object := filepath.Join("objects", strings.TrimSuffix(name, ".c")+".o")
		for _, dir := range []string{filepath.Dir(name), filepath.Dir(object)} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name := range tree {
		base, isC := strings.CutSuffix(name, ".c")
		if !isC {
			continue
		}
		output, err := exec.Command("cc", "-w", "-c", "-o", filepath.Join("objects", base+".o"), name).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
	}
}

// Is each way found in which files can need each other, and nothing where they do not?
func TestCircles(t *testing.T) {
	for _, test := range []struct {
		name string
		tree map[string]string
		want []string // the members of each circle
	}{
		{"none", map[string]string{
			"x/a.c": "#include \"a.h\"\n#include \"b.h\"\nvoid a(void) { b(); }", "x/a.h": "void a(void);",
			"x/b.c": "#include \"b.h\"\nvoid b(void) {}", "x/b.h": "void b(void);",
			"x/c.go": "package x\n\nfunc c() { d() }", "x/d.go": "package x\n\nfunc d() {}",
		}, nil},
		{"symbols", map[string]string{"x/a.c": "void b(void); void a(void) { b(); }", "x/b.c": "void a(void); void b(void) { a(); }"},
			[]string{"x/a.c, x/b.c"}},
		{"an include and a symbol", map[string]string{
			"x/a.c": "#include \"a.h\"\nvoid b(void); void a(void) { b(); }", "x/a.h": "struct a { int a; };",
			"x/b.c": "#include \"a.h\"\nvoid b(void) {}",
		}, []string{"x/a, x/b.c"}},
		{"headers", map[string]string{"x/a.h": "#pragma once\n#include \"b.h\"", "x/b.h": "#pragma once\n#include \"a.h\""},
			[]string{"x/a.h, x/b.h"}},
		{"rooms", map[string]string{
			"x/a/a.c": "void b(void); void a(void) { b(); }", "x/b/b.c": "void b(void) {}",
			"x/b/c.c": "void d(void); void c(void) { d(); }", "x/a/d.c": "void d(void) {}",
		}, []string{"x/a/, x/b/"}},
		{"functions of Go", map[string]string{"x/a.go": "package x\n\nfunc a() { b() }", "x/b.go": "package x\n\nfunc b() { a() }"},
			[]string{"x/a.go, x/b.go"}},
		{"a method and a field of Go", map[string]string{
			"x/a.go": "package x\n\ntype a struct{ field int }\n\nfunc use(x a) { x.method() }",
			"x/b.go": "package x\n\nfunc (x a) method() { x.field = 1 }",
		}, []string{"x/a.go, x/b.go"}},
		{"Go and C", map[string]string{
			"x/a.go": "package x\n\nimport \"C\"\n\n//export a\nfunc a() { C.b() }",
			"x/b.c":  "void a(void); void b(void) { a(); }",
		}, []string{"x/a.go, x/b.c"}},
		{"two", map[string]string{
			"x/a.go": "package x\n\nfunc a() { b() }", "x/b.go": "package x\n\nfunc b() { a(); c() }",
			"x/c.go": "package x\n\nfunc c() { d() }", "x/d.go": "package x\n\nfunc d() { e() }", "x/e.go": "package x\n\nfunc e() { c() }",
		}, []string{"x/a.go, x/b.go", "x/c.go, x/d.go, x/e.go"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			plant(t, test.tree)
			needs, err := read("objects", []string{"x"})
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, circle := range append(needs.circles(), needs.rooms().circles()...) {
				first, _, _ := strings.Cut(circle, "\n")
				_, members, _ := strings.Cut(first, ": ")
				found = append(found, members)
			}
			if !slices.Equal(found, test.want) {
				t.Errorf("found %q, not %q", found, test.want)
			}
		})
	}
}
