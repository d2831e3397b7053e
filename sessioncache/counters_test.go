package sessioncache

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "TestCounterList writes what it would else only compare")

// place is a part of a file that is made of the list of counters: what lies between two texts.
type place struct {
	file        string
	begin, end  *regexp.Regexp
	made        func(counters []Description) string
	first, last int // which counters, as in a slice
}

// counterPlaces are all of them. What a cache holds stands in the middle of the struct, because programs
// have been compiled with that: later counters come behind it.
var counterPlaces = []place{
	{"include/gosess.h", regexp.MustCompile(`struct gosess_stats \{\n.*\n`), regexp.MustCompile(` *uint64_t entries;`), members, 0, 8},
	{"include/gosess.h", regexp.MustCompile(` *uint64_t capacity;.*\n`), regexp.MustCompile(`\};\n`), members, 8, CounterCount},
	{"man/gosess.3", regexp.MustCompile(`-width evictions -compact\n`), regexp.MustCompile(`\.It Va entries\n`), items("Va", "_"), 0, 8},
	{"man/gosess.3", regexp.MustCompile(`\.It Va capacity\n.*\n`), regexp.MustCompile(`\.El\n`), items("Va", "_"), 8, CounterCount},
	{"man/gosess.1", regexp.MustCompile(`-width evictions -compact\n`), regexp.MustCompile(`\.El\n`), items("Cm", " "), 0, CounterCount},
	{"docs/shm-format.md", regexp.MustCompile(`counters, in this order: `), regexp.MustCompile(`; the rest`), names, 0, CounterCount},
}

// members are those of a struct. clang-format puts the comments into a column.
func members(counters []Description) string {
	var text strings.Builder
	for _, c := range counters {
		fmt.Fprintf(&text, "    uint64_t %s; /* %s */\n", strings.ReplaceAll(c.Name, " ", "_"), c.Help)
	}
	return text.String()
}

// items are those of a list in a manual page.
func items(macro, between string) func([]Description) string {
	return func(counters []Description) string {
		var text strings.Builder
		for _, c := range counters {
			fmt.Fprintf(&text, ".It %s %s\n%s\n", macro, strings.ReplaceAll(c.Name, " ", between), c.Help)
		}
		return text.String()
	}
}

func names(counters []Description) string {
	var all []string
	for _, c := range counters {
		all = append(all, c.Name)
	}
	return strings.Join(all, ", ")
}

var spaces = regexp.MustCompile(` +`)

// TestCounterList compares what is made of the list of counters with the list. See Descriptions.
func TestCounterList(t *testing.T) {
	seen := map[string]bool{}
	for c, d := range Descriptions {
		if d.Name == "" || d.Help == "" || d.Unit == "" || seen[d.Name] || strings.Trim(d.Name, "abcdefghijklmnopqrstuvwxyz ") != "" {
			t.Errorf("counter %d: %+v", c, d)
		}
		seen[d.Name] = true
	}
	for _, p := range counterPlaces {
		path := filepath.Join("..", p.file)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		begin := p.begin.FindIndex(content)
		if begin == nil {
			t.Fatalf("%s: no %v", p.file, p.begin)
		}
		rest := content[begin[1]:]
		end := p.end.FindIndex(rest)
		if end == nil {
			t.Fatalf("%s: no %v", p.file, p.end)
		}
		made := p.made(Descriptions[p.first:p.last])
		switch {
		case spaces.ReplaceAllString(string(rest[:end[0]]), " ") == spaces.ReplaceAllString(made, " "):
		case !*update:
			t.Errorf("%s has\n%s\nwhere the list makes\n%s\ngo test -run TestCounterList ./sessioncache -update writes it", p.file, rest[:end[0]], made)
		default:
			text := string(content[:begin[1]]) + made + string(rest[end[0]:])
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
