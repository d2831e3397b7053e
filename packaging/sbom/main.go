// Sbom prints what programs are made of, as an SPDX document (version 2.3, JSON): the Go modules and the Go that are in
// each file that it is given, as the linker wrote them there, and the version of the packages.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type document struct {
	Version       string         `json:"spdxVersion"`
	License       string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      creation       `json:"creationInfo"`
	Packages      []component    `json:"packages"`
	Relationships []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type component struct {
	Name      string     `json:"name"`
	ID        string     `json:"SPDXID"`
	Version   string     `json:"versionInfo"`
	From      string     `json:"downloadLocation"`
	Analyzed  bool       `json:"filesAnalyzed"`
	Checksums []checksum `json:"checksums,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type relationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

const documentID = "SPDXRef-DOCUMENT"

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION TIME FILE...\nTIME is in seconds since 1970: two documents of the same files are the same.")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(version, seconds string, files []string) error {
	var unix int64
	if _, err := fmt.Sscan(seconds, &unix); err != nil {
		return fmt.Errorf("the time %q: %w", seconds, err)
	}
	d := document{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: documentID, Name: "gosess-" + version,
		Creation: creation{time.Unix(unix, 0).UTC().Format(time.RFC3339), []string{"Tool: gosess-sbom"}},
	}
	sum := sha256.New()
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		digest := sha256.Sum256(content)
		sum.Write(digest[:])
		d.add(documentID, "DESCRIBES", component{
			Name: filepath.Base(file), Version: version, From: "NOASSERTION",
			Checksums: []checksum{{"SHA256", fmt.Sprintf("%x", digest)}},
		})
		if err := d.addModules(file, d.Packages[len(d.Packages)-1].ID); err != nil {
			return err
		}
	}
	d.Namespace = fmt.Sprintf("https://spdx.org/spdxdocs/gosess-%s-%x", version, sum.Sum(nil)[:16])
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

// addModules says what Go wrote into a file of the modules that it is made of. One that is all C has none.
func (d *document) addModules(file, id string) error {
	info, err := buildinfo.ReadFile(file)
	if err != nil && strings.Contains(err.Error(), "not a Go executable") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	d.add(id, "CONTAINS", component{Name: "go", Version: strings.TrimPrefix(info.GoVersion, "go"), From: "https://go.dev/dl/"})
	for _, module := range info.Deps {
		if module.Replace != nil && module.Replace.Version == "" {
			continue // of this source
		}
		d.add(id, "CONTAINS", component{Name: module.Path, Version: module.Version, From: "https://proxy.golang.org/" + module.Path})
	}
	return nil
}

// add relates a component to what has it. One that is there already is not listed again.
func (d *document) add(from, how string, c component) {
	c.ID = "SPDXRef-" + strings.Map(idLetter, c.Name+"-"+c.Version)
	known := false
	for _, other := range d.Packages {
		known = known || other.ID == c.ID
	}
	if !known {
		d.Packages = append(d.Packages, c)
	}
	d.Relationships = append(d.Relationships, relationship{from, how, c.ID})
}

// idLetter is what may stand in an SPDX identifier.
func idLetter(r rune) rune {
	if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.') {
		return r
	}
	return '-'
}
