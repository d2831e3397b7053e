package cases_test

import "strings"

// own are the lines of slots.c, for a full handshake and what follows.
func own(object string, counts ...string) string {
	var lines []string
	for i, count := range counts {
		result := "full"
		if i > 0 {
			result = "resumed"
		}
		lines = append(lines, object+": "+result+", "+count+" of 41 its own, untouched")
	}
	return strings.Join(append(lines, "freed: untouched"), "|")
}

// pairs are the names of a first and a second ClientHello, as retry.c goes through them.
var pairs = []string{
	"open, then open", "open, then closed", "open, then none",
	"closed, then open", "closed, then closed", "closed, then none",
	"none, then open", "none, then closed", "none, then none",
}

// retries are the lines of retry.c, with what becomes of a session of "open", and of one without a name.
func retries(open, none []string) string {
	lines := []string{"session of open"}
	for i, pair := range pairs {
		lines = append(lines, pair+": "+open[i])
	}
	lines = append(lines, "session of none")
	for i, pair := range pairs {
		lines = append(lines, pair+": "+none[i])
	}
	return strings.Join(lines, "|")
}

const (
	in     = "resumed, INTRUDED"
	may    = "full or resumed"
	full   = "full"
	resume = "resumed"
	no     = "refused"
)

var (
	// libssl alone resumes whatever the names are.
	intruded = retries(
		[]string{resume, in, resume, resume, in, in, resume, in, resume},
		[]string{resume, in, resume, resume, in, in, resume, in, resume},
	)
	usedUp = retries(
		[]string{full, no, full, full, no, no, full, no, full},
		[]string{full, no, full, full, no, no, full, no, full},
	)
	// A connection without a second name stays where the first one has led it to.
	kept = retries(
		[]string{resume, no, may, may, no, no, may, no, full},
		[]string{full, no, full, full, no, no, full, no, resume},
	)
	keptOrUsedUp = retries(
		[]string{may, no, may, may, no, no, may, no, full},
		[]string{full, no, full, full, no, no, full, no, may},
	)
)

// order are four lines of asked.c.
func order(name, same, nameThenNone, noneThenName, none string) string {
	return name + ", then " + name + ": " + same + "|" + name + ", then none: " + nameThenNone +
		"|none, then " + name + ": " + noneThenName + "|none, then none: " + none
}

// bothMoments are the lines of asked.c where the session of one name is not resumed under another, and
// a session without a name and one with it as the argument says.
func bothMoments(between string) string {
	lines := order("b.test", "resumed", between, between, "resumed") +
		"|a.test, then b.test: full|b.test, then a.test: full"
	return "early|" + lines + "|late|" + lines
}

var everyOrder = strings.ReplaceAll(bothMoments("resumed"), "full", "resumed")

// intoClosed are the lines of asked.c about a server that demands a certificate.
func intoClosed(result string) string {
	return "none, then b.test: " + result + "|a.test, then b.test: " + result +
		"|b.test, then b.test: resumed|b.test, then none: " + result
}

const closedToAll = "none, then b.test: failed|a.test, then b.test: failed" +
	"|b.test, then b.test: resumed|b.test, then none: full"

const (
	unbound    = "same: resumed|changed: resumed|then: resumed"
	bound      = "same: resumed|changed: full|then: resumed"
	boundOrNot = "same: resumed|changed: full or resumed|then: resumed"
)

// ownOnly are lines of accounts.c.
const ownOnly = "where it was made: resumed|elsewhere: full"

// victim are the lines of impostor.c.
func victim(first, others, victim, again string) string {
	return "impostor: " + first + "|impostor: " + others + "|impostor: " + others +
		"|victim: " + victim + "|once more: " + again
}

// evicted: the first impostor has removed the session, the others find none.
func evicted(attempt string) string { return victim(attempt, "full", "full", "full") }

// ended: the same where none finds out.
func ended(attempt string) string { return victim(attempt, attempt, "full", "full") }

// spared: nothing is removed, and nothing used up.
func spared(attempt string) string { return victim(attempt, attempt, "resumed", "resumed") }

// usedOnce: only the victim uses it up.
func usedOnce(attempt string) string { return victim(attempt, attempt, "resumed", "full") }

// free: who has proved to know the secret may end the session.
func free(attempt string) string {
	return victim(attempt, attempt, "full or resumed", "full or resumed")
}

// withAfter replaces a line after another one.
func withAfter(lines, after, line, by string) string {
	before, rest, _ := strings.Cut(lines, after)
	return before + after + strings.Replace(rest, line, by, 1)
}

// fourOwn are the lines of own.c for two contexts that are configured alike.
func fourOwn(both, offered, made, neither string) string {
	return "context's, then context's: " + both + "|context's, then own: " + offered +
		"|own, then context's: " + made + "|own, then own: " + neither
}

var (
	noneOwn = fourOwn("full", "full", "full", "full")
	// What one connection has of its own, no other process can know.
	ownApart = fourOwn("resumed", "full", "full", "full")
)
