package doctor

import "slices"

// groupings are addresses that are joined where one resumes what another has made.
type groupings []int

func newGroupings(addresses int) groupings {
	g := make(groupings, addresses)
	for n := range g {
		g[n] = n
	}
	return g
}

func (g groupings) of(address int) int {
	for g[address] != address {
		address = g[address]
	}
	return address
}

func (g groupings) join(a, b int) { g[g.of(a)] = g.of(b) }

// groups are the addresses by their groups, the largest first.
func (g groupings) groups(addresses []string) [][]string {
	members := make([][]string, len(g))
	for n, address := range addresses {
		members[g.of(n)] = append(members[g.of(n)], address)
	}
	members = slices.DeleteFunc(members, func(group []string) bool { return len(group) == 0 })
	slices.SortStableFunc(members, func(a, b []string) int { return len(b) - len(a) })
	return members
}
