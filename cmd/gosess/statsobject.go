package main

import "gosess/sessioncache"

// withCounters is an object that goes on with the counters.
func withCounters(o object, counters sessioncache.Counters) object {
	for c, value := range counters {
		o = append(o, member{camel(sessioncache.Descriptions[c].Name), value})
	}
	return o
}

// statsObject is for programs. Times are in unix seconds, sizes in bytes.
func statsObject(name string, s *sessioncache.Stats) object {
	workers, contexts, latency := []object{}, []object{}, object{}
	for _, w := range s.Workers {
		workers = append(workers, withCounters(object{
			{"pid", w.PID},
			{"started", w.Started},
			{"live", w.Live},
			{"version", w.Versions.GosessText()},
			{"abi", w.Versions.ABI},
			{"libssl", w.Versions.LibsslText()},
		}, w.Counters))
	}
	for _, c := range s.Contexts {
		contexts = append(contexts, withCounters(object{
			{"context", contextName(c.Owner)},
			{"label", c.Label},
			{"started", c.Started},
			{"live", c.Live},
			{"pids", c.Workers},
		}, c.Counters))
	}
	for o := range s.Latency {
		h := &s.Latency[o]
		buckets := []object{}
		for b, count := range h.Buckets {
			below := object{}
			if b < len(h.Buckets)-1 {
				below = object{{"below", sessioncache.BucketEnd(b).Seconds()}}
			}
			buckets = append(buckets, append(below, member{"count", count}))
		}
		latency = append(latency, member{sessioncache.Operation(o).String(), object{{"sum", h.Sum.Seconds()}, {"buckets", buckets}}})
	}
	o := append(withCounters(object{{"store", name}}, s.Total),
		member{"entries", s.Entries},
		member{"used", s.Used},
		member{"capacity", s.Capacity},
		member{"oldest", s.Oldest},
		member{"size", s.Size},
		member{"created", s.Created},
		member{"workers", workers},
		member{"contexts", contexts},
		member{"latency", latency}, // of one operation in 16
		member{"secrets", secretObjects(s)},
	)
	if s.Agent != nil {
		o = append(o, member{"agent", agentObject(s.Agent)})
	}
	return o
}
