// Package main is the Go half of gosess, built as libgosess-core.so: the only place where
// C and Go meet.
//
// The rules of the boundary: every export recovers from panics and answers with a miss;
// no Go pointer is kept in C and no C memory in Go beyond a call; what libssl must be asked
// is gathered in one crossing (glue.c); the error queue is left as it was found (L25).
// What the exports promise is said in shim.h, which glue.c checks against them.
package main

func main() {}
