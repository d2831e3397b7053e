package doctor

import (
	"fmt"
	"strings"
)

// judgeWays says of each way whether clients are resumed, and of several the same once.
func judgeWays(r *Report) []Finding {
	var found []Finding
	titles := map[string][]string{}
	for _, way := range r.Ways {
		finding := judgeWay(r, way)
		if finding.Code == "" {
			continue
		}
		key := finding.Code + finding.What
		if titles[key] == nil {
			found = append(found, finding)
		}
		titles[key] = append(titles[key], wayTitles[way.Name]+figures(way))
	}
	for n := range found {
		found[n].What = strings.Join(titles[found[n].Code+found[n].What], " and ") + ": " + found[n].What
	}
	return found
}

// figures say how much was resumed where it is neither all nor nothing.
func figures(w *Way) string {
	all := w.All()
	if all.Resumed == 0 || all.Refused == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of %d offers taken; the fraction is between %.0f and %.0f %% with 99 %% confidence)", all.Resumed,
		all.Offered(), 100*w.AtLeast, 100*w.AtMost)
}

func judgeWay(r *Report, w *Way) Finding {
	all := w.All()
	finding := Finding{Level: Fault}
	if others := r.way("tls12-ticket"); w.Name == "tls12-id" && others != nil && others.All().Resumed > 0 {
		finding.Level = Remark // few clients are so
	}
	medium := "cache"
	if w.Gives == givesTicket {
		medium = "keys"
	}
	const dependsOn = "Each of these costs a full handshake. It depends on which machine or process a client comes to."
	const full = "Each of these connections costs a full handshake: a signature on the server, and a round trip or more for the client."
	switch {
	case !w.Spoken, w.Fulls == 0: // it was not to be seen
		return Finding{}
	case w.Given == 0:
		finding.Code, finding.Consequence = "no-session", full
		finding.What = "the server gives nothing that a client could come again with."
	case all.Offered() == 0:
		return Finding{}
	case all.Resumed == 0 && len(r.Addresses) == 1 && medium == "keys" && len(r.Keys.Keys) > 1:
		finding.Code, finding.Consequence = "partly-resumed/keys", dependsOn
		finding.What = partly(r, w)
	case all.Resumed == 0 && len(r.Addresses) == 1:
		finding.Code, finding.Consequence = "not-resumed/"+medium, full
		finding.What = fmt.Sprintf("the server gives a %s and resumes none.", w.Gives)
	case len(w.Groups) > 1 && w.Same.Resumed > 0:
		finding.Code = "addresses-apart/" + medium
		finding.What = fmt.Sprintf("the addresses do not resume each other's sessions. They fall into %d groups: %s.", len(w.Groups), groupText(w.Groups))
		finding.Consequence = "A client that is led to another address, as by DNS or a load balancer, makes a full handshake."
	case all.Resumed == 0:
		finding.Code, finding.Consequence = "not-resumed/"+medium, full
		finding.What = fmt.Sprintf("the server gives a %s and resumes none, at any address.", w.Gives)
	case all.Refused > 0:
		finding.Code = "partly-resumed/" + medium
		finding.What = partly(r, w)
		finding.Consequence = dependsOn
	default:
		return Finding{}
	}
	return finding
}

// partly says what is known of why some sessions are refused.
func partly(r *Report, w *Way) string {
	if w.Gives == givesTicket && len(r.Keys.Keys) > 1 {
		return fmt.Sprintf("some tickets are refused. They are made under %d keys: not all that serve here have the same.", len(r.Keys.Keys))
	}
	if w.Gives == givesTicket {
		return "some tickets are refused: not all that serve here open those of the others."
	}
	return "some sessions are refused: not all that serve here have those of the others, or the cache is too small."
}

// groupText is the addresses of each group, of a large one the first.
func groupText(groups [][]string) string {
	const shown = 4
	var texts []string
	for _, group := range groups[:min(len(groups), shown)] {
		text := strings.Join(group[:min(len(group), shown)], ", ")
		if len(group) > shown {
			text += fmt.Sprintf(" and %d more", len(group)-shown)
		}
		texts = append(texts, text)
	}
	if len(groups) > shown {
		texts = append(texts, fmt.Sprintf("and %d more groups", len(groups)-shown))
	}
	return strings.Join(texts, " | ")
}
