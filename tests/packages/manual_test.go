package packages_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gosess/tests/harness"
)

// What stands in for systemctl(1), of nginx alone: it reads the drop-ins as systemd does, and starts or stops the server.
const systemctl = `#!/bin/sh
set -e
case $1 in stop | restart)
    if [ -e /run/nginx.pid ]; then
        nginx -s quit
        while [ -e /run/nginx.pid ]; do sleep 0.05; done
    fi
    ;;
esac
case $1 in start | restart)
    set --
    for file in /etc/systemd/system/nginx.service.d/*.conf; do
        [ ! -e "$file" ] || set -- $(sed -n 's/%%/%/g; s/^Environment="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$file")
    done
    ! grep -q '^StateDirectory=gosess$' /etc/systemd/system/nginx.service.d/*.conf 2>/dev/null || mkdir -p /var/lib/gosess
    env "$@" nginx
    ;;
esac
`

const site = `server {
    listen 443 ssl;
    server_name www.example.org;
    ssl_certificate /etc/nginx/server.pem;
    ssl_certificate_key /etc/nginx/server.pem;
    return 200 ok;
}
`

// endless are commands that go on until somebody ends them.
var endless = regexp.MustCompile(`^gosess (serve|stats --watch)`)

// followsManual runs each command of docs/operating.md, one after the other, as somebody does who has nginx, and nothing of gosess
// yet. They are in namespaces of their own: what they start ends with them, and may have any port.
func followsManual(t *testing.T, system, packages string) {
	t.Helper()
	var made []string
	defer func() {
		for _, path := range made {
			os.Remove(path)
		}
	}()
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		path = filepath.Join(system, path)
		if _, err := os.Stat(path); os.IsNotExist(err) {
			made = append(made, path)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	pem, err := harness.CertAndKeyOf(t.TempDir(), "www.example.org")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := os.ReadFile(pem)
	if err != nil {
		t.Fatal(err)
	}
	write("etc/nginx/server.pem", string(certificate), 0o600)
	write("etc/nginx/sites-enabled/www", site, 0o644)
	write("etc/hosts", "127.0.0.1 localhost www.example.org\n", 0o644)
	write("usr/local/bin/systemctl", systemctl, 0o755)
	run(t, "/", "sh", "-c", `mkdir -p "$2/tmp/build/deb" && cp "$1"/*.deb "$2/tmp/build/deb"`, "sh", packages, system)

	commands := commandsOf(t, "docs/operating.md")
	script := "mount -t proc proc /proc\ncd /tmp\nsystemctl start\n"
	for n, command := range commands {
		if endless.MatchString(command) {
			command = "timeout --preserve-status -s INT 3 " + command
		}
		write(fmt.Sprintf("tmp/%d", n), command+"\n", 0o644)
		script += fmt.Sprintf("sh -e %d >%d.said 2>&1; echo $? >%d.status\n", n, n, n)
	}
	write("tmp/all", script+"systemctl stop\n", 0o644)
	run(t, "/", "unshare", "--net", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", `ip link set lo up && exec chroot "$0" sh /tmp/all`, system)
	for n, command := range commands {
		said, _ := os.ReadFile(filepath.Join(system, "tmp", fmt.Sprint(n, ".said")))
		status, _ := os.ReadFile(filepath.Join(system, "tmp", fmt.Sprint(n, ".status")))
		if got := strings.TrimSpace(string(status)); got != statusOf(command) {
			t.Errorf("%s: status %q, not %s:\n%s", command, got, statusOf(command), said)
		}
	}
}

// statusOf is what a command ends with: one that ^C ends, with what a shell calls that.
func statusOf(command string) string {
	if strings.HasPrefix(command, "gosess stats --watch") {
		return "130"
	}
	return "0"
}

// commandsOf are the lines of a document that are for a shell.
func commandsOf(t *testing.T, document string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), document))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if command, found := strings.CutPrefix(line, "    "); found {
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	if len(commands) < 20 {
		t.Fatalf("%s has no commands: %q", document, commands)
	}
	return commands
}
