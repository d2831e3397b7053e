// Command gosess-core is built as libgosess-core.so, the Go half of gosess: see package capi.
package main

import _ "gosess/capi"

func main() {}
