package doctor

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The manual's table has every code that a finding may have, and no other.
func TestManual(t *testing.T) {
	var codes []string
	for _, file := range []string{"findings.go", "judgeways.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`Code(?:: |, finding.Consequence = | = )"([a-z0-9/-]+)"`).FindAllStringSubmatch(string(text), -1) {
			if strings.HasSuffix(found[1], "/") {
				codes = append(codes, found[1]+"cache", found[1]+"keys")
			} else {
				codes = append(codes, found[1])
			}
		}
	}
	manual, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(manual), "| code |")
	table, _, _ = strings.Cut(table, "\n\n")
	var told []string
	for line := range strings.Lines(table) {
		first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for _, code := range regexp.MustCompile("`([a-z0-9/-]+)`").FindAllStringSubmatch(first, -1) {
			told = append(told, code[1])
		}
	}
	slices.Sort(codes)
	slices.Sort(told)
	if codes = slices.Compact(codes); len(codes) < 20 || !slices.Equal(codes, told) {
		t.Errorf("findings have the codes\n%q\nand docs/operating.md has\n%q", codes, told)
	}
}
