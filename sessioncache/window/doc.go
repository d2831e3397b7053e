// Package window is the memory that the servers of a machine and its agent share. The agent is the
// one process of the machine that talks to a far store, Valkey or Redis.
//
// Through the window workers tell the agent what they have stored and removed ([Window.Tell]), and ask it for
// a session that is not in the near store: a worker posts the lookup key in a slot and waits, in C and
// until a deadline; the agent looks in the far store, puts what it has found into the near store, and answers.
// Nothing that a worker reads here is trusted: it looks in the near store again, and what is there has to
// open under the sealing key. Each side frees itself alone from whatever the other one does.
//
// docs/fleet-format.md is the contract. The window is the end of the file of a store: package shm opens it.
package window
