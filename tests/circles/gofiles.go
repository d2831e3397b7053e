package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"strings"
)

// addCalls adds the C files of the same folders that Go files take something from (C.name).
func addCalls(needs graph, files []string, defined map[string]string) error {
	for _, file := range files {
		if !strings.HasSuffix(file, ".go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(node ast.Node) bool {
			if selected, ok := node.(*ast.SelectorExpr); ok {
				if of, ok := selected.X.(*ast.Ident); ok && of.Name == "C" && defined[selected.Sel.Name] != "" {
					needs.need(file, defined[selected.Sel.Name], "C."+selected.Sel.Name)
				}
			}
			return true
		})
	}
	return nil
}

// addGo adds what the Go files of each package take from each other: every name that one declares and another uses,
// methods and fields too. All packages lie below the folder.
func addGo(needs graph, folder string, files []string) error {
	packages := map[string][]string{}
	for _, file := range files {
		if strings.HasSuffix(file, ".go") {
			packages[path.Dir(file)] = append(packages[path.Dir(file)], file)
		}
	}
	set := token.NewFileSet()
	imports := compiled{folder: folder}
	importer := importer.ForCompiler(set, "gc", imports.open)
	for dir, names := range packages {
		if err := addPackage(needs, set, importer, dir, names); err != nil {
			return err
		}
	}
	return imports.err
}

func addPackage(needs graph, set *token.FileSet, importer types.Importer, dir string, names []string) error {
	var trees []*ast.File
	for _, name := range names {
		tree, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		trees = append(trees, tree)
	}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	// The types of C are unknown here, which is an error for each use of them, and no matter.
	config := types.Config{Importer: importer, FakeImportC: true, Error: func(error) {}}
	config.Check(dir, set, trees, &info)
	for used, object := range info.Uses {
		if object.Pkg() == nil || object.Pkg().Path() != dir || !object.Pos().IsValid() {
			continue
		}
		needs.need(set.File(used.Pos()).Name(), set.File(object.Pos()).Name(), object.Name())
	}
	return nil
}
