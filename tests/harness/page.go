package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A server's page in docs/servers is what its tests run: the lines that it tells a reader to add.

func page(server string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "servers", server+".md"))
	return string(text), err
}

// Block is the text of the only fenced block of that language on a server's page.
func Block(server, language string) (string, error) {
	page, err := page(server)
	if err != nil {
		return "", err
	}
	blocks := strings.Split("\n"+page, "\n```"+language+"\n")
	if len(blocks) != 2 {
		return "", fmt.Errorf("docs/servers/%s.md has %d blocks of %q, not one", server, len(blocks)-1, language)
	}
	text, _, ended := strings.Cut(blocks[1], "\n```\n")
	if !ended {
		return "", fmt.Errorf("docs/servers/%s.md: the block of %q does not end", server, language)
	}
	return text + "\n", nil
}

// environmentBlock is the lines that add gosess to a server's environment, in the form of its page.
func environmentBlock(server string) (string, error) {
	text, err := Block(server, "ini")
	if err != nil {
		text, err = Block(server, "conf")
	}
	return text, err
}

// PageStore is where the store lies by a server's page.
func PageStore(server string) (string, error) {
	text, err := environmentBlock(server)
	if err != nil {
		return "", err
	}
	path := regexp.MustCompile(`shm:(/[^?\s]+)`).FindStringSubmatch(text)
	if path == nil {
		return "", fmt.Errorf("docs/servers/%s.md names no store", server)
	}
	return path[1], nil
}

// PageEnvironment is the environment that a server's page makes, with a systemd drop-in or with the server's
// own import_environment, with the libraries of this build and with the store in dir.
func PageEnvironment(server, dir string) ([]string, error) {
	library, err := Built("libgosess.so")
	if err != nil {
		return nil, err
	}
	text, err := environmentBlock(server)
	if err != nil {
		return nil, err
	}
	named, err := PageStore(server)
	if err != nil {
		return nil, err
	}
	store := filepath.Join(dir, "store")
	here := strings.NewReplacer("/usr/local/lib/libgosess.so", library, named, store)
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

// WithTickets is an environment with this GOSESS_TICKETS in the place of what it has.
func WithTickets(env []string, tickets string) []string {
	kept := slices.DeleteFunc(slices.Clone(env), func(entry string) bool { return strings.HasPrefix(entry, "GOSESS_TICKETS=") })
	return append(kept, "GOSESS_TICKETS="+tickets)
}

// PageLines are the lines of commands on a server's page that begin so.
func PageLines(server, beginning string) ([]string, error) {
	text, err := page(server)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(text) {
		if command, found := strings.CutPrefix(line, "    "); found && strings.HasPrefix(command, beginning) {
			lines = append(lines, strings.TrimSpace(command))
		}
	}
	return lines, nil
}

// PageCommand is the words of the command on a server's page, in a line of its own or between backquotes, that begins
// so. This build's gosess runs for gosess, and the pairs say what else stands for what.
func PageCommand(server, beginning string, pairs ...string) ([]string, error) {
	text, err := page(server)
	if err != nil {
		return nil, err
	}
	command := regexp.QuoteMeta(beginning)
	found := regexp.MustCompile("(?m)^    (" + command + ".*)$|`(" + command + "[^`]*)`").FindStringSubmatch(text)
	if found == nil {
		return nil, fmt.Errorf("docs/servers/%s.md has no command %q", server, beginning)
	}
	words := strings.Fields(strings.NewReplacer(append(pairs, "'", "")...).Replace(found[1] + found[2]))
	if words[0] == "gosess" {
		words[0], err = Built("gosess")
	}
	return words, err
}

// PageThrough is the page's "gosess run", without the server that it runs, for a server in dir.
func PageThrough(t *testing.T, server, dir string) []string {
	t.Helper()
	store := filepath.Join(dir, "store")
	named, err := PageStore(server)
	if err != nil {
		t.Fatal(err)
	}
	words, err := PageCommand(server, "gosess run", "/tmp/"+server, store, named, store)
	if err != nil {
		t.Fatal(err)
	}
	for i, word := range words {
		if word == "--" {
			return words[:i+1]
		}
	}
	t.Fatalf("docs/servers/%s.md runs no server: %q", server, words)
	return nil
}
