// Package browser opens pages in Debian's Chromium, for tests of what is shown to people. It speaks the DevTools protocol over a pipe,
// in which messages of JSON end with a zero byte.
package browser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"gosess/tests/harness"
)

// patience is for how long Chromium may be silent: far longer than it is on a busy machine.
const patience = 2 * time.Minute

// busless is what it says where there is no D-Bus.
var busless = regexp.MustCompile(`(?m)^.*:dbus/.*\n`)

// Browser is a running Chromium without a window.
type Browser struct {
	t     testing.TB
	to    *os.File
	cmd   *exec.Cmd
	said  bytes.Buffer
	ended chan struct{} // it reads no more

	mu      sync.Mutex
	last    int
	answers map[int]chan message
	heard   func(message)
}

// message is what goes either way.
type message struct {
	ID        int             `json:"id,omitempty"`
	Session   string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Arguments any             `json:"params,omitempty"`
	Params    json.RawMessage `json:"-"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Start starts one, which ends with the test. It asks nobody but this machine.
func Start(t testing.TB) *Browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: Debian's package chromium")
	}
	b := &Browser{t: t, ended: make(chan struct{}), answers: map[int]chan message{}}
	theirs, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, their, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b.to = to
	b.cmd = exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(),
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--hide-scrollbars", "--force-color-profile=srgb")
	b.cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	b.cmd.ExtraFiles = []*os.File{theirs, their} // 3 and 4
	b.cmd.Stderr = &b.said
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = b.cmd.Start()
	theirs.Close()
	their.Close()
	if err != nil {
		t.Fatal(err)
	}
	go b.listen(from)
	t.Cleanup(func() {
		syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL) // all of its processes, which are a group
		b.cmd.Wait()
		to.Close()
		<-b.ended
		from.Close()
		if t.Failed() {
			t.Logf("chromium said %s", busless.ReplaceAllString(b.said.String(), ""))
		}
	})
	return b
}

// listen hands each message to whom it is for.
func (b *Browser) listen(from *os.File) {
	defer close(b.ended)
	messages := bufio.NewReader(from)
	for {
		text, err := messages.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			message
			Params json.RawMessage `json:"params"`
		}
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		m.message.Params = m.Params
		b.mu.Lock()
		answer, heard := b.answers[m.ID], b.heard
		delete(b.answers, m.ID)
		b.mu.Unlock()
		switch {
		case m.ID != 0 && answer != nil:
			answer <- m.message
		case m.ID == 0 && heard != nil:
			heard(m.message)
		}
	}
}

// ask sends a command, of a page or of the browser itself where the session is empty, and reads what comes back.
func (b *Browser) ask(session, method string, arguments, into any) error {
	answer := make(chan message, 1)
	b.mu.Lock()
	b.last++
	m := message{ID: b.last, Session: session, Method: method, Arguments: arguments}
	b.answers[m.ID] = answer
	text, err := json.Marshal(m)
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case got := <-answer:
		if got.Error != nil {
			return fmt.Errorf("%s: %s", method, got.Error.Message)
		}
		if into == nil {
			return nil
		}
		return json.Unmarshal(got.Result, into)
	case <-b.ended:
		return fmt.Errorf("%s: chromium has ended", method)
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer", method)
	}
}

// Screen is what a page is looked at with.
type Screen struct {
	Width, Height int
	Dark          bool
}

// Page is a page that is open.
type Page struct {
	b       *Browser
	t       testing.TB
	session string

	mu       sync.Mutex
	problems []string // that the browser complains of
	asked    []string // addresses that were asked for
	loaded   bool
}

// Open opens a page, and returns when all of it is there.
func (b *Browser) Open(t testing.TB, address string, screen Screen) *Page {
	t.Helper()
	p := &Page{b: b, t: t}
	var target struct{ TargetID string }
	var attached struct{ SessionID string }
	p.must(b.ask("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target))
	p.must(b.ask("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached))
	p.session = attached.SessionID
	b.mu.Lock()
	b.heard = p.hear
	b.mu.Unlock()
	t.Cleanup(func() { b.ask("", "Target.closeTarget", map[string]any{"targetId": target.TargetID}, nil) })
	for _, domain := range []string{"Page", "Network", "Log", "Runtime"} {
		p.do(domain+".enable", nil)
	}
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": screen.Width, "height": screen.Height, "deviceScaleFactor": 1, "mobile": screen.Width < 600,
	})
	scheme := "light"
	if screen.Dark {
		scheme = "dark"
	}
	p.do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
	p.Go(address)
	return p
}

// Go leads the page to an address.
func (p *Page) Go(address string) {
	p.t.Helper()
	p.Loads(func() { p.do("Page.navigate", map[string]any{"url": address}) })
}

// Loads does what has another page loaded, and returns when that is there.
func (p *Page) Loads(do func()) {
	p.t.Helper()
	p.mu.Lock()
	p.loaded = false
	p.mu.Unlock()
	do()
	if err := harness.WaitFor("the page to be loaded", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.loaded
	}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *Page) hear(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var event struct {
		Entry            struct{ Text, Level string }
		Request          struct{ URL string }
		ExceptionDetails struct{ Text string }
	}
	if m.Session != p.session || json.Unmarshal(m.Params, &event) != nil {
		return
	}
	switch m.Method {
	case "Page.loadEventFired":
		p.loaded = true
	case "Network.requestWillBeSent":
		p.asked = append(p.asked, event.Request.URL)
	case "Log.entryAdded":
		p.problems = append(p.problems, event.Entry.Level+": "+event.Entry.Text)
	case "Runtime.exceptionThrown":
		p.problems = append(p.problems, event.ExceptionDetails.Text)
	}
}

// Problems are what the browser has complained of, and Asked the addresses that it has asked for.
func (p *Page) Problems() []string { return p.list(&p.problems) }

// Asked are the addresses that the browser has asked for.
func (p *Page) Asked() []string { return p.list(&p.asked) }

func (p *Page) list(of *[]string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), *of...)
}

func (p *Page) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *Page) do(method string, arguments any) {
	p.t.Helper()
	p.must(p.b.ask(p.session, method, arguments, nil))
}

// Evaluate computes an expression of JavaScript in the page, which a policy for its own scripts does not touch.
func (p *Page) Evaluate(expression string, into any) {
	p.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	p.must(p.b.ask(p.session, "Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &answer))
	if e := answer.ExceptionDetails; e != nil {
		p.t.Fatalf("%s: %s", e.Text, e.Exception.Description)
	}
	if into != nil {
		p.must(json.Unmarshal(answer.Result.Value, into))
	}
}

// Press presses a key and lets it go: "Tab", "Enter".
func (p *Page) Press(key string) {
	p.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13}
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
	if key == "Enter" {
		event["text"] = "\r"
	}
	p.do("Input.dispatchKeyEvent", event)
	p.do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]})
}

// Click clicks into the middle of the first element that a selector names.
func (p *Page) Click(selector string) {
	p.t.Helper()
	var at struct{ X, Y float64 }
	p.Evaluate(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		e.scrollIntoView({block: "center"});
		const r = e.getBoundingClientRect();
		return {X: r.x + r.width / 2, Y: r.y + r.height / 2};
	})()`, selector), &at)
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		p.do("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1})
	}
}

// Picture is a PNG of the whole page.
func (p *Page) Picture() []byte {
	p.t.Helper()
	var picture struct{ Data []byte }
	p.must(p.b.ask(p.session, "Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &picture))
	return picture.Data
}
