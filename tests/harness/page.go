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

// PageEnvironment is the environment that a server's page makes, with a systemd drop-in or with the server's
// own import_environment, with the libraries of this build and with the store in dir.
func PageEnvironment(server, dir string) ([]string, error) {
	library, err := Built("libgosess.so")
	if err != nil {
		return nil, err
	}
	text, err := Block(server, "ini")
	if err != nil {
		if text, err = Block(server, "conf"); err != nil {
			return nil, err
		}
	}
	store := filepath.Join(dir, "store")
	here := strings.NewReplacer("/usr/local/lib/libgosess.so", library, "/var/lib/gosess/"+server, store)
	var env []string
	for _, word := range strings.Fields(strings.ReplaceAll(here.Replace(text), "Environment=", " ")) {
		if name, _, found := strings.Cut(word, "="); found && (name == "LD_PRELOAD" || strings.HasPrefix(name, "GOSESS_")) {
			env = append(env, word)
		}
	}
	if all := strings.Join(env, " "); !strings.Contains(all, library) || !strings.Contains(all, store) {
		return nil, fmt.Errorf("docs/servers/%s.md preloads or stores nothing: %q", server, env)
	}
	return env, nil
}
