package doctor_test

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gosess/tests/fleet/network"
	"gosess/tests/harness"
)

// machines are ten network namespaces, each with an address and an nginx of its own. Each nginx has the same services, at the same
// ports, with the same certificate.
type machines []*harness.Nginx

// newMachines makes ten, whose nginx nobody has started yet.
func newMachines(t *testing.T) machines {
	t.Helper()
	all := make(machines, 10)
	for i := range all {
		n, err := harness.NewNginx(harness.TempDir(t))
		if err != nil {
			t.Fatal(err)
		}
		host := network.New(t)
		n.Address, n.Through = host.Address(), host.Through()
		n.Tickets, n.SessionCache, n.WorkerCount = true, "shared:all:1m", 1
		if i > 0 {
			n.Sites = slices.Clone(all[0].Sites)
		}
		all[i] = n
	}
	return all
}

// service adds a service of all of them, of which number four has other directives.
func (m machines) service(t *testing.T, directives, ofNumberFour string) (port int) {
	t.Helper()
	port = service(t, m[0], directives)
	for i, n := range m[1:] {
		site := m[0].Sites[len(m[0].Sites)-1]
		if i+2 == numberFour {
			site.Directives = ofNumberFour
		}
		n.Sites = append(n.Sites, site)
	}
	return port
}

func (m machines) start(t *testing.T) {
	t.Helper()
	for _, n := range m {
		started(t, n)
	}
}

// addresses are those of a service.
func (m machines) addresses(port int) (all []string) {
	for _, n := range m {
		all = append(all, net.JoinHostPort(n.Address, strconv.Itoa(port)))
	}
	return all
}

// hosts is a file of hosts (hosts(5)) in which one name has all their addresses.
func (m machines) hosts(name string) []byte {
	var text strings.Builder
	for _, n := range m {
		fmt.Fprintln(&text, n.Address, name)
	}
	return []byte(text.String())
}
