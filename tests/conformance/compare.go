package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// A difference is a test case of a suite in one way.
type difference struct{ suite, way, name string }

// readMeant reads the differences that are meant. A line is the ways, the suite, the case and the reason,
// with a bar between them; one that begins with # is a comment.
func readMeant(path string) (map[difference]bool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	meant := map[difference]bool{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, " | ")
		if len(fields) != 4 || strings.TrimSpace(fields[3]) == "" {
			return nil, fmt.Errorf("%s:%d: not: ways | suite | case | reason", path, number)
		}
		for _, name := range strings.Split(fields[0], ",") {
			d := difference{fields[1], name, fields[2]}
			if meant[d] || !slices.ContainsFunc(ways, func(w way) bool { return w.name == name }) ||
				!slices.ContainsFunc(suites, func(s suite) bool { return s.name == fields[1] }) {
				return nil, fmt.Errorf("%s:%d: %+v is there twice, or is of no way or suite", path, number, d)
			}
			meant[d] = true
		}
	}
	return meant, nil
}

// A verdict is how one way of a suite compares with the baseline.
type verdict struct {
	cases, same, meant int
	wrong              []string // each what is not as it should be
}

// compare compares the cases of a way with those of the baseline. Those that only one of them has are
// compared too.
func compare(without, with results, suite, way string, meant map[difference]bool) verdict {
	names := maps.Clone(without)
	maps.Copy(names, with)
	for d := range meant {
		if d.suite == suite && d.way == way {
			names[d.name] = ""
		}
	}
	v := verdict{cases: len(names)}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		d := difference{suite, way, name}
		switch differs := without[name] != with[name]; {
		case differs && meant[d]:
			v.meant++
		case differs:
			v.wrong = append(v.wrong, fmt.Sprintf("%s, %s: %s: %s, without gosess %s", suite, way, name,
				orNothing(with[name]), orNothing(without[name])))
		case meant[d]:
			v.wrong = append(v.wrong, fmt.Sprintf("%s, %s: %s: meant.txt says that it differs, and it does not",
				suite, way, name))
		default:
			v.same++
		}
	}
	return v
}

// differs says whether a program's cases differ in a way from the baseline in what is not meant. The
// difference's name is the program's. Where there is no baseline, all differs.
func differs(r round, of difference, meant map[difference]bool) bool {
	without, with := r[baseline.name], r[of.way]
	names := maps.Clone(without)
	maps.Copy(names, with)
	for name := range names {
		if without[name] != with[name] && !meant[difference{of.suite, of.way, of.name + "/" + name}] {
			return true
		}
	}
	return without.empty()
}

func orNothing(outcome string) string {
	if outcome == "" {
		return "no such case"
	}
	return outcome
}
