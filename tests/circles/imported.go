package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// compiled is what the packages below a folder import, as the compiler has left it in its cache: to read their sources
// would take thirty times as long.
type compiled struct {
	folder string
	files  map[string]string // by the path of the package; nil until the first one is asked for
	err    error             // the first: go/types goes on without what cannot be imported
}

// open is what go/importer looks a package up with.
func (c *compiled) open(path string) (io.ReadCloser, error) {
	if c.files == nil {
		c.list()
	}
	file, err := os.Open(c.files[path])
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("import of %s: %w", path, err)
	}
	return file, err
}

func (c *compiled) list() {
	c.files = map[string]string{}
	cmd := exec.Command("go", "list", "-C", c.folder, "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "./...")
	cmd.Stderr = os.Stderr
	listed, err := cmd.Output()
	if err != nil {
		c.err = fmt.Errorf("go list of %s: %w", c.folder, err)
	}
	for line := range strings.Lines(string(listed)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		c.files[path] = file
	}
}
