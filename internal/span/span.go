// Package span says how long something takes, or how old it is: in one unit, the greatest of which there are two or more.
package span

import "fmt"

// units are looked through from the top: the first of which there are two is taken.
var units = []struct {
	seconds int64
	name    string
}{
	{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"},
}

// of is how many of which unit a number of seconds is. What is over already is nothing.
func of(seconds int64) (n int64, name string) {
	seconds = max(seconds, 0)
	for _, u := range units {
		if n, name = seconds/u.seconds, u.name; n >= 2 {
			break
		}
	}
	return n, name
}

// Short is for tables: 45s, 12m, 3h, 2d.
func Short(seconds int64) string {
	n, name := of(seconds)
	return fmt.Sprintf("%d%c", n, name[0])
}

// Words is for sentences: 45 seconds, 12 minutes, 3 hours, 2 days.
func Words(seconds int64) string {
	n, name := of(seconds)
	if n == 1 {
		return "1 second"
	}
	return fmt.Sprintf("%d %s", n, name)
}
