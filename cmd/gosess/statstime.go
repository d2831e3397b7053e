package main

import "time"

func clock(seconds int64) string {
	return time.Unix(seconds, 0).Format("2006-01-02 15:04:05")
}
