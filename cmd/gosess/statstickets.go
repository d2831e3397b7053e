package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"gosess/internal/metrics"
	"gosess/internal/span"
	"gosess/sessioncache"
)

// ticketsLine says what has become of the tickets that gosess seals, and of those that clients have offered.
func ticketsLine(c *sessioncache.Counters) string {
	if c[sessioncache.TicketsMade]+metrics.NotAccepted.Sum(c) == 0 {
		return "none was made under secrets of the store (GOSESS_TICKETS=shared)"
	}
	text := fmt.Sprintf("%d made, %d accepted", c[sessioncache.TicketsMade], c[sessioncache.TicketsAccepted])
	if n := metrics.NotAccepted.Sum(c); n > 0 {
		text += fmt.Sprintf(", %d not accepted: %s", n, reasons(c, metrics.NotAccepted))
	}
	return text
}

// writeTickets has a line for each context that has to do with tickets, and for each secret.
func writeTickets(out *output, s *sessioncache.Stats, contexts []metrics.Context, now time.Time) {
	if len(s.Secrets) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "tickets of\tmade\taccepted\tunknown\tended\trefused\t\n")
	for i := range contexts {
		c := &contexts[i].Counters
		if c[sessioncache.TicketsMade]+metrics.NotAccepted.Sum(c) > 0 {
			fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t\n", contexts[i].Label, c[sessioncache.TicketsMade], c[sessioncache.TicketsAccepted],
				c[sessioncache.TicketsUnknown], c[sessioncache.TicketsEnded], c[sessioncache.TicketsRefused])
		}
	}
	table.Flush()
	fmt.Fprint(out, "\n")
	fmt.Fprint(table, "secret made\tage\tends in\ttickets made\taccepted\t\n")
	for _, secret := range s.Secrets {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t\n", clock(secret.Made), span.Short(now.Unix()-secret.Made), span.Short(secret.Ends-now.Unix()),
			secret.Tally[sessioncache.TallyMade], secret.Tally[sessioncache.TallyAccepted])
	}
	table.Flush()
	fmt.Fprint(out, "\n")
}

// secretObjects are for programs.
func secretObjects(s *sessioncache.Stats) []object {
	all := []object{}
	for _, secret := range s.Secrets {
		all = append(all, object{
			{"made", secret.Made},
			{"ends", secret.Ends},
			{"ticketsMade", secret.Tally[sessioncache.TallyMade]},
			{"ticketsAccepted", secret.Tally[sessioncache.TallyAccepted]},
		})
	}
	return all
}
