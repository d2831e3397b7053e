package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const docs = "../../docs/monitoring"

// Each alert goes off where it should, and is silent where all is well.
func TestAlerts(t *testing.T) {
	dir := t.TempDir()
	for from, to := range map[string]string{docs + "/alerts.yml": "alerts.yml", "testdata/alerts_test.yml": "alerts_test.yml"} {
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	promtool(t, "", "test", "rules", filepath.Join(dir, "alerts_test.yml"))
	rules, err := os.ReadFile(docs + "/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	tested, err := os.ReadFile("testdata/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		if !strings.Contains(string(tested), `"`+name[1]+`"`) {
			t.Errorf("%s is not tested", name[1])
		}
	}
}
