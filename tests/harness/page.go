package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A server's page in docs/servers is what its tests run: the lines that it tells a reader to add.

// Block is the text of the only fenced block of that language on a server's page.
func Block(server, language string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(root, "docs", "servers", server+".md"))
	if err != nil {
		return "", err
	}
	blocks := strings.Split("\n"+string(data), "\n```"+language+"\n")
	if len(blocks) != 2 {
		return "", fmt.Errorf("docs/servers/%s.md has %d blocks of %q, not one", server, len(blocks)-1, language)
	}
	text, _, ended := strings.Cut(blocks[1], "\n```\n")
	if !ended {
		return "", fmt.Errorf("docs/servers/%s.md: the block of %q does not end", server, language)
	}
	return text + "\n", nil
}

// PageEnvironment is the environment that the systemd drop-in on a server's page makes, with the
// libraries of this build and with the store in dir.
func PageEnvironment(server, dir string) ([]string, error) {
	dropIn, err := Block(server, "ini")
	if err != nil {
		return nil, err
	}
	library, err := Built("libgosess.so")
	if err != nil {
		return nil, err
	}
	here := strings.NewReplacer("/usr/local/lib/libgosess.so", library, "/var/lib/gosess/"+server, filepath.Join(dir, "store"))
	var env []string
	for line := range strings.Lines(here.Replace(dropIn)) {
		if entry, found := strings.CutPrefix(strings.TrimSpace(line), "Environment="); found {
			env = append(env, entry)
		}
	}
	if all := strings.Join(env, "\n"); !strings.Contains(all, library) || !strings.Contains(all, filepath.Join(dir, "store")) {
		return nil, fmt.Errorf("docs/servers/%s.md: the drop-in preloads or stores nothing: %q", server, env)
	}
	return env, nil
}
