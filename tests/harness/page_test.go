package harness_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// Every page that tells a reader to add gosess names one store throughout, in a directory that the page has made, and
// README.md leads to every page.
func TestPages(t *testing.T) {
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	read := func(path string) string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	readme := read(filepath.Join(root, "README.md"))
	alikeForNginx(t, map[string]string{"README.md": readme, "gosess(7)": read(filepath.Join(root, "man", "gosess.7"))},
		read(filepath.Join(root, "docs", "servers", "nginx.md")))
	pages, err := filepath.Glob(filepath.Join(root, "docs", "servers", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, path := range pages {
		name, text := strings.TrimSuffix(filepath.Base(path), ".md"), read(path)
		if !strings.Contains(readme, "(docs/servers/"+name+".md)") {
			t.Errorf("README.md does not lead to %s", name)
		}
		if !strings.Contains(text, "\n## What to add\n") {
			continue
		}
		store, err := harness.PageStore(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := harness.PageEnvironment(name, t.TempDir()); err != nil {
			t.Error(err)
		}
		stats, err := harness.PageCommand(name, "gosess stats")
		if err != nil || stats[len(stats)-1] != "shm:"+store {
			t.Errorf("%s: %v %v, want %s", name, stats, err, store)
		}
		_, undo, _ := strings.Cut(text, "\n## To undo it\n")
		for _, file := range []string{store, store + ".key"} {
			if !strings.Contains(undo, "`"+file+"`") {
				t.Errorf("%s: who undoes it is not told of %s", name, file)
			}
		}
		// systemd makes the one, and the reader the other.
		made := regexp.MustCompile(`(?m)^StateDirectory=(.*)$|^    install -d .* (/var/lib/.*)$`).FindStringSubmatch(text)
		if made == nil || !slices.Contains([]string{"/var/lib/" + made[1], made[2]}, filepath.Dir(store)) {
			t.Errorf("%s: nothing makes the directory of %s: %q", name, store, made)
		}
	}
}

// alikeForNginx wants what others say of nginx to be what its own page says, which tests/nginx runs: the environment of the service, and
// the command for a shell.
func alikeForNginx(t *testing.T, others map[string]string, page string) {
	t.Helper()
	for _, line := range regexp.MustCompile(`(?m)^(?: *\[Service\]|Environment=.*|StateDirectory=.*| *gosess run .*)$`).FindAllString(page, -1) {
		for name, text := range others {
			if line = strings.TrimSpace(line); !strings.Contains(text, line) {
				t.Errorf("%s does not have the line of nginx's page %q", name, line)
			}
		}
	}
}
