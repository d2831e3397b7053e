package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gosess/internal/span"
)

// Thresholds of what is called old and long.
const (
	oldKey   = 7 * 24 * time.Hour // RFC 9325, section 3.4: changed weekly at the least
	longHint = 24 * time.Hour
)

// findings are what follows from a report, the faults first.
func findings(r *Report) []Finding {
	all := []Finding{}
	for _, judge := range []func(*Report) []Finding{
		judgeReach, judgeVersions, judgeKeys, judgeCrossings, judgeReuse, judgeWays, judgeRenewal, judgeAddresses, judgeSince, judgeLasting, judgeHints,
	} {
		all = append(all, judge(r)...)
	}
	for n := range all {
		if all[n].Cure == nil {
			all[n].Cure = cure(all[n].Code, r.Server, r.preload)
		}
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		return strings.Compare(string(a.Level), string(b.Level)) // "fault" is before "remark"
	})
	return all
}

func judgeReach(r *Report) []Finding {
	var found []Finding
	if r.LeftOut > 0 {
		found = append(found, Finding{Code: "left-out", Level: Remark,
			What:        fmt.Sprintf("%d more addresses were not looked at.", r.LeftOut),
			Consequence: "Nothing is said of them: name them one by one.",
		})
	}
	for _, unreached := range r.Unreached {
		if unreached.noWay {
			found = append(found, Finding{Code: "no-way", Level: Remark,
				What:        fmt.Sprintf("%s was not looked at: %s.", unreached.Address, unreached.Why),
				Consequence: "Nothing is said of it: look from a machine that has a way to it.",
			})
			continue
		}
		found = append(found, Finding{Code: "unreachable", Level: Fault,
			What:        fmt.Sprintf("%s cannot be reached: %s.", unreached.Address, unreached.Why),
			Consequence: "Clients that are given this address wait, and go on to another one if they can.",
		})
	}
	if r.Failed > 0 {
		found = append(found, Finding{Code: "failures", Level: Fault,
			What:        fmt.Sprintf("%d of %d connections failed, the last one at %s.", r.Failed, r.Connections, r.Failure),
			Consequence: "What is said of sessions rests on the others.",
		})
	}
	return found
}

func judgeVersions(r *Report) []Finding {
	if way := r.way("tls13"); way == nil || way.Spoken {
		return nil
	}
	return []Finding{{Code: "no-tls13", Level: Remark,
		What:        "TLS 1.3 is not spoken.",
		Consequence: "A full handshake takes a round trip more, and a ticket of TLS 1.2 shows the key that it came under to all who listen.",
	}}
}

func judgeKeys(r *Report) []Finding {
	var found []Finding
	switch r.Keys.Default {
	case guessedAll:
		found = append(found, Finding{Code: "default-key", Level: Fault,
			What:        "The tickets are sealed under a key that everybody knows: every byte of it is the same.",
			Consequence: "Whoever has recorded connections can read them, and can make tickets that the server takes for its own.",
		})
	case guessedMAC:
		found = append(found, Finding{Code: "default-mac-key", Level: Fault,
			What:        "The tickets are authenticated with a key that everybody knows: every byte of it is the same.",
			Consequence: "Whoever has seen a ticket can change it without the server noticing, and have it try what is in it.",
		})
	}
	for _, key := range r.Keys.Keys {
		if key.FirstSeen == nil || r.When.Sub(*key.FirstSeen) < oldKey {
			continue
		}
		found = append(found, Finding{Code: "old-key", Level: Fault,
			What: fmt.Sprintf("Tickets are still made under the key %s, which an earlier run saw %s ago.", key.Name,
				inWords(r.When.Sub(*key.FirstSeen))),
			Consequence: "Who gets hold of this key reads all connections of that time. RFC 9325 wants keys changed weekly at the least, and old ones destroyed.",
		})
	}
	return found
}

func judgeCrossings(r *Report) []Finding {
	ways := map[[2]string][]string{}
	level, consequence := Remark, "Harmless as long as clients are not verified: under a name that demands client certificates, a session of the other would get past it."
	var order [][2]string
	for _, c := range r.Crossings {
		if !c.Resumed || c.SameCert {
			continue
		}
		pair := [2]string{c.From, c.To}
		if c.Verified {
			level, consequence = Fault, "A client that has come by the name that does not demand a certificate, or takes others, gets past the demand of the other one."
		}
		if ways[pair] == nil {
			order = append(order, pair)
		}
		ways[pair] = append(ways[pair], wayTitles[c.Way])
	}
	var pairs []string
	for _, pair := range order {
		pairs = append(pairs, fmt.Sprintf("%s at %s (%s)", nameText(pair[0]), nameText(pair[1]), strings.Join(ways[pair], ", ")))
	}
	if pairs == nil {
		return nil
	}
	return []Finding{{Code: "crosses-names", Level: level,
		What:        "Sessions are resumed under a name that shows another certificate: one of " + strings.Join(pairs, "; one of ") + ".",
		Consequence: consequence,
	}}
}

func judgeReuse(r *Report) []Finding {
	u := r.Reuse
	if u == nil || !u.Accepted {
		return nil
	}
	where := ""
	switch {
	case u.Replayed && u.ReplayOther:
		where = "at the same address and at another one"
	case u.Replayed:
		where = "at the same address"
	case u.ReplayOther:
		where = "at another address"
	default:
		return []Finding{{Code: "early-data", Level: Remark,
			What:        "Early data is accepted, and was refused when the same bytes came again.",
			Consequence: "It saves clients a round trip, and nobody else can have a request carried out again at this address.",
		}}
	}
	return []Finding{{Code: "replayable", Level: Fault,
		What:        fmt.Sprintf("Early data is replayable: the same bytes were accepted once more, %s.", where),
		Consequence: "Whoever sees a client's first bytes can have its request carried out again, as often as the ticket lasts.",
	}}
}

func judgeRenewal(r *Report) []Finding {
	way := r.way("tls13")
	if way == nil {
		return nil
	}
	resumed := way.All().Resumed
	if 10*way.Renewed >= 9*resumed { // one machine of ten may be another
		return nil
	}
	return []Finding{{Code: "no-ticket-on-resumption", Level: Fault,
		What: fmt.Sprintf("Of %d TLS 1.3 connections that were resumed, %d were given no ticket.", resumed, resumed-way.Renewed),
		Consequence: "A client that uses each ticket once, as browsers do, has none left after as many connections as it was given tickets: " +
			fmt.Sprintf("%.0f %% of its visits were resumed here.", way.Percent()),
	}}
}

func judgeAddresses(r *Report) []Finding {
	var differ []string
	for _, way := range r.Ways {
		for what, of := range map[string]func(Full) string{
			"certificate":                  func(f Full) string { return f.Certificate },
			"cipher":                       func(f Full) string { return f.Cipher },
			"what clients come again with": func(f Full) string { return f.Gives },
			"lifetime":                     func(f Full) string { return inWords(time.Duration(f.Hint)) },
			"early data":                   func(f Full) string { return fmt.Sprint(f.Early > 0) },
		} {
			seen := map[string]bool{}
			for _, address := range r.Addresses {
				full, spoken := address.Full[way.Name]
				if text := of(full); spoken {
					seen[text] = true
				} else {
					seen["not spoken"] = true
				}
			}
			if len(seen) > 1 {
				differ = append(differ, fmt.Sprintf("%s: %s", wayTitles[way.Name], what))
			}
		}
	}
	if differ == nil {
		return nil
	}
	slices.Sort(differ)
	return []Finding{{Code: "addresses-differ", Level: Remark,
		What:        "The addresses are not configured alike: " + strings.Join(differ, "; ") + ".",
		Consequence: "What a client gets depends on which address it comes to; sessions of one are worth less at the others.",
	}}
}

func judgeSince(r *Report) []Finding {
	if r.Since == nil {
		return nil
	}
	var lost []string
	for _, kept := range r.Since.Sessions {
		if !kept.Resumed && time.Duration(kept.Age) < r.lifetime(kept) {
			lost = append(lost, fmt.Sprintf("%s at %s", wayTitles[kept.Way], kept.Address))
		}
	}
	if lost == nil {
		return nil
	}
	return []Finding{{Code: "lost", Level: Fault,
		What: fmt.Sprintf("Sessions of the last run, %s ago, are not resumed, although their time is not over: %s.",
			inWords(r.When.Sub(r.Since.When)), strings.Join(lost, ", ")),
		Consequence: "A reload, a restart or a deployment has taken the keys or the cache with it: every client makes a full handshake after it.",
	}}
}

func judgeLasting(r *Report) []Finding {
	var found []Finding
	for _, l := range r.Lasting {
		if l.Refused > 0 && l.Refused < l.Hint {
			found = append(found, Finding{Code: "ends-early", Level: Fault,
				What: fmt.Sprintf("%s: a session was refused %s after it was made, and the server had said %s.", wayTitles[l.Way],
					inWords(time.Duration(l.Refused)), inWords(time.Duration(l.Hint))),
				Consequence: "The cache is too small for the visitors, or the key is changed and forgotten too soon.",
			})
		}
	}
	return found
}

func judgeHints(r *Report) []Finding {
	for _, way := range r.Ways {
		if time.Duration(way.Hint) > longHint {
			return []Finding{{Code: "long-lived", Level: Remark,
				What: fmt.Sprintf("%s: sessions last %s.", wayTitles[way.Name], inWords(time.Duration(way.Hint))),
				Consequence: "For so long a client can be recognised by them, and who gets hold of the ticket key reads what it said. " +
					"Most sites use 10 minutes, and clients that come again after a day hardly gain.",
			}}
		}
	}
	return nil
}

// inWords is a time for sentences.
func inWords(d time.Duration) string { return span.Words(int64(d / time.Second)) }

func nameText(name string) string {
	if name == "" {
		return "no name"
	}
	return name
}
