package harness

import (
	"path/filepath"
	"slices"
	"testing"
)

// Place is where a client enters a server: what it is shown, and what is demanded of it there. The zero Place is that of most
// clients, with the server's first certificate and nothing demanded.
type Place struct {
	Name        string  // that the client asks for: "first.test" where it is empty
	Nameless    bool    // the client asks for no name
	SamePort    bool    // as the first place: the name alone tells them apart
	Certificate string  // which one is shown: the first place's where it is empty
	Authority   string  // the file of the one that vouches for clients; "": nobody is asked to
	Version     string  // the only one of TLS that is spoken
	Ciphers     Ciphers // the only ones that are used
	Off         bool    // nothing is resumed here
	Seconds     int     // how long a session lasts, where that is not the server's default

	client []string // arguments of a client whom the authority vouches for
}

// Ciphers are those of a place, as OpenSSL's configuration names them: up to TLS 1.2, and of 1.3. None is any.
type Ciphers struct{ List, Suites string }

// The ciphers of the table.
var (
	aes128 = Ciphers{"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256"}
	aes256 = Ciphers{"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_AES_256_GCM_SHA384"}
)

// ServerName is the name of the place.
func (p Place) ServerName() string {
	if p.Name == "" {
		return "first.test"
	}
	return p.Name
}

// Question is a row of the table of what is resumed where: places of one server, at each of which sessions are made and then
// offered at all of them.
type Question struct {
	Name    string
	places  func(t *testing.T, dir, version string) []Place
	shares  bool // what is made at one is resumed at the others; else it is refused there
	oneWay  bool // what is made at the first is offered at the others alone: they cannot be asked for it the other way round
	given   bool // the store may give it out: only then it is seen that it cannot be used
	expires bool // what is made at the first ends
}

func always(places ...Place) func(*testing.T, string, string) []Place {
	return func(*testing.T, string, string) []Place { return places }
}

// authorities are a place where nobody has to vouch for the client, and two where different ones have to.
func authorities(t *testing.T, dir, _ string) []Place {
	places := []Place{{}}
	for _, name := range []string{"one", "two"} {
		authority, client := ClientOf(t, filepath.Join(dir, name))
		places = append(places, Place{Authority: authority, client: client})
	}
	return places
}

// Questions are what every server with a store is asked, but for those that it has no configuration for.
var Questions = []Question{
	{Name: "the same at another port", places: always(Place{}, Place{}), shares: true},
	{Name: "another name", places: always(Place{}, Place{Name: "second.test", SamePort: true, Certificate: "second"})},
	{Name: "no name and another certificate", places: always(Place{Nameless: true}, Place{Name: "second.test", SamePort: true, Certificate: "second"})},
	{Name: "another name at another port", places: always(Place{}, Place{Name: "second.test"})},
	{Name: "another certificate", places: always(Place{}, Place{Certificate: "other"})},
	{Name: "another authority", places: authorities},
	{Name: "another version", oneWay: true, places: func(_ *testing.T, _, version string) []Place {
		return []Place{{}, {Version: OtherVersion(version), client: []string{"--tls", "any"}}}
	}},
	{Name: "other ciphers", given: true, places: always(Place{Ciphers: aes128}, Place{Ciphers: aes256})},
	{Name: "no cache", places: always(Place{}, Place{Off: true})},
	{Name: "expiry", places: always(Place{}), expires: true},
}

// Refusals asks a server the questions, each with a server of its own for each version of TLS.
type Refusals struct {
	// Start starts a server that has these places, and returns a client of each: where it calls, and what it says beside what
	// its place and the version make it say.
	Start  func(t *testing.T, dir string, places []Place) []Guest
	Lacks  map[string]string // questions that the server cannot be asked, or answers otherwise, and why
	System System            // whose server it is
}

// Run asks them.
func (r Refusals) Run(t *testing.T) {
	asked := len(r.Lacks)
	for _, q := range Questions {
		if r.Lacks[q.Name] != "" {
			continue
		}
		asked++
		t.Run(q.Name, func(t *testing.T) {
			EachVersion(t, func(t *testing.T, version string) { r.ask(t, q, version) })
		})
	}
	if asked != len(Questions) {
		t.Errorf("%v lacks what nobody asks", r.Lacks)
	}
}

// guests starts a server with the places of a question, the first of which has a lifetime of its own where it is not 0.
func (r Refusals) guests(t *testing.T, q Question, version string, seconds int) []Guest {
	t.Helper()
	dir := r.System.TempDir(t)
	places := slices.Clone(q.places(t, dir, version))
	places[0].Seconds = seconds
	guests := r.Start(t, dir, places)
	for i, p := range places {
		arguments := []string{"--tls", version}
		if !p.Nameless {
			arguments = append(arguments, "--sni", p.ServerName())
		}
		guests[i] = guests[i].With(append(arguments, p.client...)...)
		guests[i].Never = guests[i].Never || p.Off
	}
	return guests
}

func (r Refusals) ask(t *testing.T, q Question, version string) {
	if q.expires {
		Expiring(t, func(seconds int) bool {
			guest := r.guests(t, q, version, seconds)[0]
			return guest.Expires(guest.Sessions())
		})
		return
	}
	guests := r.guests(t, q, version, 0)
	for i, from := range guests {
		if from.Never {
			from.ResumesNone()
			continue
		}
		of := from.Sessions()
		if from.Forget != nil {
			from.Forget()
		}
		for j, to := range guests {
			switch {
			case j == i:
			case q.shares:
				to.ResumesAgain(of)
			case q.given:
				to.DoesNotResume(of)
			default:
				to.IsRefused(of)
			}
		}
		if !from.Judged { // else it is a matter of which process it meets, and of what Forget does
			from.Resumes(of)
		}
		if q.oneWay {
			return
		}
	}
}
