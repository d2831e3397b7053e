package metrics

import "gosess/sessioncache"

// tickets are those that gosess seals, and what they are sealed under. A series for each secret would be another one in each period, so of
// these there is how many, and how old.
func (w *writer) tickets(stores []Store, now int64) {
	for _, c := range []sessioncache.Counter{sessioncache.TicketsMade, sessioncache.TicketsAccepted} {
		w.byContext("gosess_"+under(c.String()), sessioncache.Descriptions[c].Help, stores, c)
	}
	w.byReason("gosess_tickets_not_accepted", "tickets that clients have offered in vain, by reason", stores, NotAccepted)
	for _, g := range []struct {
		name, help string
		value      func(secrets []sessioncache.Secret) float64
	}{
		{"gosess_ticket_secrets", "secrets that tickets are sealed under, the next one and old ones too",
			func(secrets []sessioncache.Secret) float64 { return float64(len(secrets)) }},
		{"gosess_ticket_secret_newest_age_seconds", "how long ago the newest one was made: with each period there is another",
			func(secrets []sessioncache.Secret) float64 { return ageOf(secrets, len(secrets)-1, now) }},
		{"gosess_ticket_secret_oldest_age_seconds", "how long ago the oldest one was made, whose tickets are accepted",
			func(secrets []sessioncache.Secret) float64 { return ageOf(secrets, 0, now) }},
	} {
		w.family(g.name, "gauge", g.help)
		for _, s := range stores {
			if s.Err == nil {
				w.sample(g.name, labels{{"store", s.Name}}, g.value(s.Stats.Secrets))
			}
		}
	}
}

// ageOf is that of the n-th, 0 where there is none.
func ageOf(secrets []sessioncache.Secret, n int, now int64) float64 {
	if len(secrets) == 0 {
		return 0
	}
	return float64(max(now-secrets[n].Made, 0))
}
