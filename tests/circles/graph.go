package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// graph says what each file needs of which other one: a name of it that is an example.
type graph map[string]map[string]string

func (g graph) need(user, used, what string) {
	if user == used {
		return
	}
	if g[user] == nil {
		g[user] = map[string]string{}
	}
	if before := g[user][used]; before == "" || what < before {
		g[user][used] = what
	}
}

// rooms is the graph of the folders of a graph of files.
func (g graph) rooms() graph {
	rooms := graph{}
	for user, uses := range g {
		for used, what := range uses {
			rooms.need(path.Dir(user)+"/", path.Dir(used)+"/", fmt.Sprintf("%s, of %s, in %s", what, path.Base(used), path.Base(user)))
		}
	}
	return rooms
}

// circles are the sets of nodes that all need each other, each with its shortest circle.
func (g graph) circles() []string {
	var found []string
	seen := map[string]bool{}
	for _, start := range slices.Sorted(maps.Keys(g)) {
		if seen[start] {
			continue
		}
		shortest := g.way(start, start)
		if shortest == nil {
			continue
		}
		var members []string
		for _, other := range slices.Sorted(maps.Keys(g)) {
			if other == start || g.way(start, other) != nil && g.way(other, start) != nil {
				seen[other] = true
				members = append(members, other)
				if way := g.way(other, other); len(way) < len(shortest) {
					shortest = way
				}
			}
		}
		text := fmt.Sprintf("a circle of %d: %s", len(members), strings.Join(members, ", "))
		for i, user := range shortest {
			used := shortest[(i+1)%len(shortest)]
			text += fmt.Sprintf("\n    %s needs %s (%s)", user, used, g[user][used])
		}
		found = append(found, text)
	}
	return found
}

// way is a shortest way from a node to another, or around to itself, without the last one; nil where there is none.
func (g graph) way(from, to string) []string {
	before := map[string]string{}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range slices.Sorted(maps.Keys(g[queue[0]])) {
			if _, seen := before[next]; seen {
				continue
			}
			before[next] = queue[0]
			if next != to {
				queue = append(queue, next)
				continue
			}
			way := []string{before[to]}
			for way[0] != from {
				way = slices.Insert(way, 0, before[way[0]])
			}
			return way
		}
	}
	return nil
}
