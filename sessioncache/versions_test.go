package sessioncache

import "testing"

func TestVersions(t *testing.T) {
	for text, number := range map[string]uint32{"0.1.0": 0x000100, "1.22.255": 0x0116ff, "": 0} {
		if got := (Versions{Gosess: number}).GosessText(); got != text {
			t.Errorf("%#x is %q, not %q", number, got, text)
		}
		if got := GosessVersion(text); got != number {
			t.Errorf("%q is %#x, not %#x", text, got, number)
		}
	}
	for _, text := range []string{"unknown", "1.2", "1.256.0"} {
		if got := GosessVersion(text); got != 0 {
			t.Errorf("%q is %#x", text, got)
		}
	}
	for number, text := range map[uint32]string{0: "", 0x30000130: "3.0.19", 0x1010117f: "1.1.1w"} {
		if got := (Versions{Libssl: number}).LibsslText(); got != text {
			t.Errorf("%#x is %q, not %q", number, got, text)
		}
	}
}
