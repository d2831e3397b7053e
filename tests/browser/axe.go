package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"gosess/tests/harness"
)

// axe is the source of axe-core, which looks for what keeps people from using a page.
var axe = sync.OnceValues(func() (string, error) {
	root, err := harness.Root()
	if err != nil {
		return "", err
	}
	here := filepath.Join(root, "tests/browser")
	lock, err := os.ReadFile(filepath.Join(here, "package-lock.json"))
	if err != nil {
		return "", err
	}
	// What is there of the same lock is used again.
	to := filepath.Join(root, "build/browser")
	script := filepath.Join(to, "node_modules/axe-core/axe.min.js")
	if had, err := os.ReadFile(filepath.Join(to, "package-lock.json")); err == nil && string(had) == string(lock) {
		if text, err := os.ReadFile(script); err == nil {
			return string(text), nil
		}
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(here, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, 0o644)
		}
		if err != nil {
			return "", err
		}
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", to)
	if said, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", npm, err, said)
	}
	text, err := os.ReadFile(script)
	return string(text), err
})

// Barriers are what axe-core finds wrong with the page, all of its rules that are on by default: WCAG 2.2 A and AA, and best practices.
func (p *Page) Barriers() (found []string) {
	p.t.Helper()
	source, err := axe()
	p.must(err)
	p.Evaluate(source+"; true", nil)
	var result struct {
		Passes     int
		Violations []struct {
			ID, Help string
			Nodes    []struct {
				HTML           string
				FailureSummary string
			}
		}
	}
	p.Evaluate(`axe.run().then(r => ({Passes: r.passes.length, Violations: r.violations.map(v => ({ID: v.id, Help: v.help,
		Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary}))}))}))`, &result)
	for _, v := range result.Violations {
		for _, n := range v.Nodes {
			found = append(found, fmt.Sprintf("%s: %s: %.200s: %s", v.ID, v.Help, n.HTML, strings.Join(strings.Fields(n.FailureSummary), " ")))
		}
	}
	if result.Passes < 20 {
		p.t.Errorf("axe-core looked at %d rules", result.Passes)
	}
	return found
}
