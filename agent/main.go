// Gosess-agent connects the stores of machines: what one has learned of its clients the others find in Valkey or Redis.
// See docs/fleet.md.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gosess/agent/internal/remote"
	"gosess/agent/internal/system"
)

const usage = `usage:
  gosess-agent [--config FILE] --store URL --far URL [--user NAME]
        serve a store of this machine: until SIGTERM, which delivers what is on its way
  gosess-agent check [--config FILE] --far URL
        look whether a far store is fit: connect, and read its configuration
  gosess-agent version
  gosess-agent help

A file of options has lines NAME = VALUE with the same names, and # before a remark.

  --store URL   what GOSESS_CACHE says: shm:/var/lib/gosess/web?fleet (of its options the agent needs none)
  --user NAME   whom an agent becomes that root has started (nobody)
  --far URL     Valkey, or Redis 6.2 or later, for all machines
                    valkey://10.0.0.7:6379/0                one server (redis:// is the same)
                    valkeys://cache.example.org?ca=/etc/gosess/ca.pem&cert=/etc/gosess/client.pem&key=/etc/gosess/client.key
                                                            with TLS (rediss:// is the same); server-name=NAME where the host is
                                                            not what the certificate has
                    valkey://10.0.0.7,10.0.0.8?cluster      a cluster: some of its servers
                    valkey://10.0.0.7,10.0.0.8?sentinel=main
                                                            sentinels, and the name of the primary that they watch
                    unix:///run/valkey/valkey.sock?db=1     a Unix socket
                further options: user=NAME, password=FILE, sentinel-password=FILE (FILE is an absolute path, or credential:NAME
                for one of systemd's LoadCredential=), prefix=TEXT before each key (gosess:), push: agents tell each other at once of
                what their servers store

exit status: 0 well, 1 it does not work, 2 a mistake in the command line or the file of options, 3 check has found something
`

func main() {
	err := command(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "gosess-agent: %v\n", system.Explained(err, system.ToRead))
	}
	os.Exit(status(err))
}

const allowed = "allowed: --store and --far, check, version, help"

func command(arguments []string, out io.Writer) error {
	if len(arguments) == 0 {
		return usageError{errors.New("it is not said what to do; " + allowed)}
	}
	switch name, rest := arguments[0], arguments[1:]; {
	case strings.HasPrefix(name, "--") && name != "--help" && name != "--version":
		return serveStore(arguments)
	case name == "check":
		return check(rest, out)
	case name == "version", name == "--version":
		_, err := fmt.Fprintf(out, "gosess-agent %s (%s)\n", version, remote.Library)
		return err
	case name == "help", name == "--help", name == "-h":
		_, err := io.WriteString(out, usage)
		return err
	default:
		return usageError{fmt.Errorf("unknown word %q; %s", name, allowed)}
	}
}
