// Program circles looks for circles between the files of a folder, and between its rooms, which are the folders
// in it: a file that needs something of another one, by whatever way, must not be needed by that one.
//
//	go run ./tests/circles OBJECTS PATH...
//
// Each PATH is a folder or a file, seen from the top of the tree, and is looked at by itself; paths that are joined
// by a comma are looked at together. OBJECTS is where the C files have been compiled to, PATH/x.c to OBJECTS/PATH/x.o.
// It prints every circle with what its files need of each other, and fails if there is one.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: circles OBJECTS PATH...")
		os.Exit(2)
	}
	found := 0
	for _, paths := range os.Args[2:] {
		needs, err := read(os.Args[1], strings.Split(paths, ","))
		if err != nil {
			fmt.Fprintln(os.Stderr, "circles:", err)
			os.Exit(2)
		}
		files := needs.circles()
		rooms := needs.rooms().circles()
		for _, circle := range append(files, rooms...) {
			fmt.Printf("%s: %s\n", paths, circle)
		}
		found += len(files) + len(rooms)
	}
	if found > 0 {
		os.Exit(1)
	}
}

func read(objects string, paths []string) (graph, error) {
	needs := graph{}
	files, err := list(paths)
	if err != nil {
		return nil, err
	}
	if err := addC(needs, objects, files); err != nil {
		return nil, err
	}
	return needs, addGo(needs, paths[0], files)
}
