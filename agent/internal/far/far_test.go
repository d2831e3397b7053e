package far

import (
	"bytes"
	"reflect"
	"testing"
)

func TestEvents(t *testing.T) {
	for _, e := range []Event{
		{From: Machine{1}, Remove: []Key{{1}, {2}}},
		{From: Machine{1}, Made: []Key{{1}, {2}}},
		{From: Machine{2}, Flush: &Flush{Owner: []byte("ownr"), Before: 7, Made: 1 << 31}},
		{Flush: &Flush{Owner: []byte{}, Made: 5}},
	} {
		text := e.Append(nil)
		got, ok := ParseEvent(text)
		if !ok || !reflect.DeepEqual(got, e) {
			t.Errorf("%+v became %+v", e, got)
		}
		for n := range text {
			if _, ok := ParseEvent(text[:n]); ok && (e.Flush == nil && (n-10)%16 != 0 || e.Flush != nil && n != 18) {
				t.Errorf("%d bytes of %+v are an event", n, e)
			}
		}
		text[0]++
		if _, ok := ParseEvent(text); ok {
			t.Error("another version is an event")
		}
	}
	large := Event{Remove: make([]Key, MaxKeys+1)}
	if _, ok := ParseEvent(large.Append(nil)); ok {
		t.Error("too many keys are an event")
	}
}

func TestCovers(t *testing.T) {
	e := Entry{Sealed: []byte("ownr and more"), Expires: 100, Made: 50}
	for _, c := range []struct {
		flush Flush
		want  bool
	}{
		{Flush{Made: 50}, true},
		{Flush{Made: 49}, false},
		{Flush{Made: 50, Before: 100}, false},
		{Flush{Made: 50, Before: 101}, true},
		{Flush{Made: 50, Owner: []byte("ownr")}, true},
		{Flush{Made: 50, Owner: []byte("othr")}, false},
	} {
		if got := c.flush.Covers(&e); got != c.want {
			t.Errorf("%+v covers it: %v", c.flush, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	e := Entry{Sealed: []byte("sealed"), Expires: 100, Made: 50}
	f.Add(e.Append(nil))
	event := Event{Remove: []Key{{1}}}
	f.Add(event.Append(nil))
	made := Event{Made: []Key{{1}}}
	f.Add(made.Append(nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		if e, ok := Parse(text, 0); ok && !bytes.Equal(e.Append(nil), text) {
			t.Errorf("%x is %+v", text, e)
		}
		if e, ok := ParseEvent(text); ok && !bytes.Equal(e.Append(nil), text) {
			t.Errorf("%x is %+v", text, e)
		}
	})
}
