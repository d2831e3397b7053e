package fleet_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// TestPage does what docs/fleet.md says, line by line, on one machine that plays two: the key file, the check of the far store, the
// environment of the servers and their agents. A session of one is resumed at the other.
func TestPage(t *testing.T) {
	t.Parallel()
	harness.NeedBuild(t)
	redis := startRedis(t, nil, "--maxmemory", "64mb", "--maxmemory-policy", "volatile-ttl")
	dir := t.TempDir()
	if err := os.Symlink(built(t, "gosess"), filepath.Join(dir, "gosess")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(built(t, "gosess-agent"), filepath.Join(dir, "gosess-agent")); err != nil {
		t.Fatal(err)
	}
	once, environment, agent := setUp(t)
	var all []*harness.Nginx
	for _, name := range []string{"a", "b"} {
		here := strings.NewReplacer("/etc/gosess", dir, "/var/lib/gosess/web", filepath.Join(dir, name), "valkey://10.0.0.7:6379/0", redis.URL()+"/0",
			"/usr/local/lib/libgosess.so", built(t, "libgosess.so"))
		if len(all) == 0 {
			sh(t, dir, here.Replace(once))
		}
		n, err := harness.NewNginx(harness.TempDir(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range environment {
			n.Env = append(n.Env, here.Replace(word))
		}
		n.Tickets = true
		if len(all) > 0 {
			n.Sites[0].Cert = all[0].Sites[0].Cert
		}
		if err := n.Start(); err != nil {
			t.Fatalf("%v: %s", err, n.Log())
		}
		t.Cleanup(func() {
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		})
		cmd := exec.Command("sh", "-c", "exec "+here.Replace(agent))
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		all = append(all, n)
	}
	pool := filepath.Join(dir, "pool")
	if r, err := harness.Load(all[0].Port(), "--tls", "1.3", "--sessions", "10", "--attempts", "0", "--save", pool); err != nil || r.Errors != 0 {
		t.Fatalf("%v %+v", err, r)
	}
	err := harness.WaitFor("the tickets of one machine at the other", func() bool {
		r, err := harness.Load(all[1].Port(), "--tls", "1.3", "--sessions", "10", "--attempts", "10", "--load", pool)
		return err == nil && r.Resumed == 10
	})
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, all[0].Log(), all[1].Log())
	}
}

func built(t *testing.T, name string) string {
	t.Helper()
	path, err := harness.Built(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// sh runs commands to their end, with the programs of dir.
func sh(t *testing.T, dir, commands string) {
	t.Helper()
	cmd := exec.Command("sh", "-e", "-c", commands)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, output)
	}
}

// setUp is the first chapter of the page: what is done once, the environment of the servers, and the agent's command.
func setUp(t *testing.T) (once string, environment []string, agent string) {
	t.Helper()
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/fleet.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(page), "\n## Set-up\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	for line := range strings.Lines(chapter) {
		line, indented := strings.CutPrefix(line, "    ")
		line = strings.TrimSuffix(line, "\n")
		word, found := strings.CutPrefix(line, "Environment=")
		switch {
		case !indented || line == "StateDirectory=gosess":
		case found:
			environment = append(environment, word)
		case strings.HasPrefix(line, "gosess-agent --store"):
			agent = line
		default:
			once += line + "\n"
		}
	}
	if strings.Count(once, "\n") != 2 || len(environment) != 3 || agent == "" {
		t.Fatalf("the chapter has %q, %q, %q", once, environment, agent)
	}
	return once, environment, agent
}
