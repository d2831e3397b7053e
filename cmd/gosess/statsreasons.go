package main

import (
	"fmt"
	"strings"

	"gosess/internal/metrics"
	"gosess/sessioncache"
)

// reasons has what was counted of each reason of a kind, if anything was.
func reasons(c *sessioncache.Counters, kind metrics.Reasons) string {
	var parts []string
	for counter := kind.First; counter <= kind.Last; counter++ {
		if c[counter] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c[counter], kind.Name(counter)))
		}
	}
	return strings.Join(parts, ", ")
}
