package main

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// list is every source file of the paths and below them.
func list(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			source := slices.Contains([]string{".c", ".h", ".go"}, filepath.Ext(name)) && !strings.HasSuffix(name, "_test.go")
			if err == nil && !entry.IsDir() && source {
				files = append(files, filepath.ToSlash(name))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

var (
	include = regexp.MustCompile(`(?m)^\s*#\s*include\s*"([^"]+)"`)
	export  = regexp.MustCompile(`(?m)^//export (\w+)$`)
)

// addC adds what files include, and which symbols the objects of C files take from each other. A C file and the
// header of its name that it includes are one.
func addC(needs graph, objects string, files []string) error {
	node := map[string]string{} // of a file
	included := map[string][]string{}
	defined := map[string]string{} // by which node
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		node[file] = file
		for _, found := range include.FindAllSubmatch(text, -1) {
			included[file] = append(included[file], path.Join(path.Dir(file), string(found[1])))
		}
		if strings.HasSuffix(file, ".go") {
			for _, found := range export.FindAllSubmatch(text, -1) {
				defined[string(found[1])] = file
			}
		}
	}
	for _, file := range files {
		if base, isC := strings.CutSuffix(file, ".c"); isC && slices.Contains(included[file], base+".h") {
			node[file], node[base+".h"] = base, base
		}
	}
	for user, headers := range included {
		for _, header := range headers {
			if used, ours := node[header]; ours {
				needs.need(node[user], used, "#include")
			}
		}
	}
	return addSymbols(needs, objects, files, node, defined)
}

func addSymbols(needs graph, objects string, files []string, node, defined map[string]string) error {
	type use struct{ user, symbol string }
	var uses []use
	for _, file := range files {
		base, isC := strings.CutSuffix(file, ".c")
		if !isC {
			continue
		}
		symbols, err := symbolsOf(filepath.Join(objects, base+".o"))
		if err != nil {
			return err
		}
		for _, symbol := range symbols {
			switch {
			case elf.ST_BIND(symbol.Info) == elf.STB_LOCAL:
			case symbol.Section == elf.SHN_UNDEF:
				uses = append(uses, use{node[file], symbol.Name})
			default:
				defined[symbol.Name] = node[file]
			}
		}
	}
	for _, use := range uses {
		if used := defined[use.symbol]; used != "" {
			needs.need(use.user, used, use.symbol)
		}
	}
	return addCalls(needs, files, defined)
}

func symbolsOf(name string) ([]elf.Symbol, error) {
	object, err := elf.Open(name)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	symbols, err := object.Symbols()
	if errors.Is(err, elf.ErrNoSymbols) {
		err = nil
	}
	return symbols, err
}
