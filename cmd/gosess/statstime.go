package main

import (
	"fmt"
	"time"
)

func clock(seconds int64) string {
	return time.Unix(seconds, 0).Format("2006-01-02 15:04:05")
}

// age is a number of seconds in one unit, or two: 45s, 12m, 3h, 2d.
func age(seconds int64) string {
	switch {
	case seconds < 0:
		return "0s"
	case seconds < 120:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 2*3600:
		return fmt.Sprintf("%dm", seconds/60)
	case seconds < 48*3600:
		return fmt.Sprintf("%dh", seconds/3600)
	}
	return fmt.Sprintf("%dd", seconds/86400)
}
