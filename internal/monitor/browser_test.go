package monitor

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"gosess/internal/metrics"
	"gosess/sessioncache"
	"gosess/tests/browser"
	"gosess/tests/harness"
)

var screens = map[string]browser.Screen{
	"wide": {Width: 1280, Height: 900}, "wide and dark": {Width: 1280, Height: 900, Dark: true},
	"phone": {Width: 360, Height: 740}, "phone and dark": {Width: 360, Height: 740, Dark: true},
}

// fullHour is of a store that is full, with all contexts and processes that there may be.
func fullHour() *Monitor {
	m := hour(900, 100, 10)
	s := &m.watched[0].last.Stats
	s.Used, s.Entries, s.Contexts, s.Workers = s.Capacity, 1e6, nil, nil
	for n := range 100 {
		s.Contexts = append(s.Contexts, sessioncache.Context{Label: fmt.Sprintf("a-rather-long-name-%d.example.org", n), Owner: sessioncache.Tag{byte(n)}})
	}
	for n := range 64 {
		s.Workers = append(s.Workers, sessioncache.Worker{PID: 100000 + n, Live: n%2 == 0, Versions: sessioncache.Versions{Gosess: 0x000100, Libssl: 0x30000130}})
	}
	return m
}

// states are what may be seen of a store.
func states() map[string]*Monitor {
	all := map[string]*Monitor{"full": fullHour(), "empty": hour(0, 0, 0), "one that is gone": hour(1, 1, 0), "one of a fleet whose agent is dead": hour(9, 9, 0)}
	all["full"].watched[0].last.Stats.Secrets = []sessioncache.Secret{{Made: time.Now().Unix() - 600, Ends: time.Now().Unix() + 7200}}
	empty := &all["empty"].watched[0].last.Stats
	empty.Entries, empty.Used, empty.Workers, empty.Contexts = 0, 0, nil, nil
	gone := &all["one that is gone"].watched[0].last
	*gone = metrics.Store{Name: gone.Name, Err: fmt.Errorf("open /run/web: no such file or directory")}
	all["one of a fleet whose agent is dead"].watched[0].last.Stats.Agent = &sessioncache.Agent{Queue: 20000, Timeouts: 40, Hits: 10}
	return all
}

// shown serves the page of what monitors have seen already.
func shown(t *testing.T, monitors ...*Monitor) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			var text bytes.Buffer
			answer(w, metrics.Prometheus.ContentType(), &text, metrics.Write(&text, metrics.Prometheus, "0.1.0", []metrics.Store{monitors[0].watched[0].last}, 0))
			return
		}
		v := view{Style: template.CSS(pageStyle), Version: "0.1.0", Now: "2026-11-26 16:00:00"}
		for i, m := range monitors {
			v.Stores = append(v.Stores, m.watched[0].view(fmt.Sprint("store", i+1), time.Now(), "0.1.0"))
		}
		var text bytes.Buffer
		answer(w, "text/html; charset=utf-8", &text, page.Execute(&text, v))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Whoever looks at the page, on whatever, can read and use all of it: axe-core finds nothing, nothing is cut off, and the browser
// complains of nothing and asks for nothing else.
func TestPageInBrowser(t *testing.T) {
	b := browser.Start(t)
	for state, m := range states() {
		for screen, s := range screens {
			if state != "full" && (screen == "wide" || screen == "phone and dark") {
				continue
			}
			t.Run(state+", "+screen, func(t *testing.T) {
				url := shown(t, m)
				p := b.Open(t, url, s)
				for _, barrier := range p.Barriers() {
					t.Error(barrier)
				}
				var sizes struct{ Page, Window int }
				p.Evaluate(`({Page: document.documentElement.scrollWidth, Window: innerWidth})`, &sizes)
				if sizes.Page > sizes.Window || sizes.Window != s.Width {
					t.Errorf("%d is shown of %d", sizes.Window, sizes.Page)
				}
				clean(t, p, url)
				if dir := os.Getenv("GOSESS_PICTURES"); dir != "" { // for who wants to look too
					os.WriteFile(dir+"/"+strings.ReplaceAll(state+"-"+screen, " ", "_")+".png", p.Picture(), 0o644)
				}
			})
		}
	}
}

// clean wants a page to have made no trouble.
func clean(t *testing.T, p *browser.Page, url string) {
	t.Helper()
	for _, problem := range p.Problems() {
		t.Error(problem)
	}
	for _, asked := range p.Asked() {
		if !strings.HasPrefix(asked, url+"/") && asked != "data:," {
			t.Errorf("the page has asked for %s", asked)
		}
	}
}

// All that can be clicked, or reached with the keyboard, does what it says.
func TestPageIsClickedThrough(t *testing.T) {
	url := shown(t, fullHour(), states()["empty"])
	p := browser.Start(t).Open(t, url, screens["wide"])
	is := func(expression string) {
		t.Helper()
		if err := harness.WaitFor("the page", func() (so bool) {
			p.Evaluate(expression, &so)
			return so
		}); err != nil {
			t.Errorf("not so: %s", expression)
		}
	}
	p.Press("Tab")
	is(`document.activeElement.className == "skip" && document.activeElement.getBoundingClientRect().x >= 0`)
	p.Press("Enter")
	is(`location.hash == "#main" && document.activeElement.id == "main"`)
	p.Press("Tab")
	is(`document.activeElement.tagName == "SUMMARY"`)
	p.Press("Enter")
	is(`document.activeElement.parentElement.open`)
	p.Press("Enter")
	is(`!document.activeElement.parentElement.open`)
	is(`document.querySelectorAll("summary").length >= 5`)
	p.Click("summary")
	is(`document.querySelector("details").open && document.querySelector("details tbody tr").getBoundingClientRect().height > 0`)
	p.Click(`nav a[href="#store2"]`)
	is(`location.hash == "#store2" && document.getElementById("store2").getBoundingClientRect().top < innerHeight`)
	is(`document.querySelectorAll("section:first-of-type svg path").length == 7`)
	p.Loads(func() { p.Click(`header a[href="/"]`) })
	is(`location.pathname == "/" && document.querySelectorAll("h2").length == 2`)
	p.Loads(func() { p.Click(`header a[href="/metrics"]`) })
	is(`location.pathname == "/metrics" && document.body.textContent.includes("gosess_build_info{")`)
	clean(t, p, url)
}
