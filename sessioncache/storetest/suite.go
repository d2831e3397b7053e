// Package storetest has the tests that every [sessioncache.Store] passes, and what tests of stores and
// caches share.
package storetest

import "testing"

// Run tests the stores that empty makes.
func Run(t *testing.T, empty Empty) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, empty Empty)
	}{
		{"Find", testFind},
		{"Replace", testReplace},
		{"Swap", testSwap},
		{"DropOnce", testDropOnce},
		{"FlushAndNumber", testFlushAndNumber},
		{"Stats", testStats},

		{"PutGet", testPutGet},
		{"Isolation", testIsolation},
		{"Expiry", testExpiry},
		{"Reasons", testReasons},
		{"PutRefuses", testPutRefuses},
		{"Remove", testRemove},
		{"Rotation", testRotation},
		{"ManyProcesses", testManyProcesses},
		{"Take", testTake},
		{"TakeOldKey", testTakeOldKey},
		{"TakeAtOnce", testTakeAtOnce},
		{"PutBack", testPutBack},
		{"Change", testChange},
		{"ChangeOldKey", testChangeOldKey},
		{"Flushed", testFlushed},
		{"Owners", testOwners},
		{"ClockJumps", testClockJumps},

		{"Forged", testForged},
		{"AnotherStore", testAnotherStore},
		{"Failing", testFailing},

		{"Route", testRoute},
		{"KnownRouteIsNotWritten", testKnownRouteIsNotWritten},
		{"RoutesLive", testRoutesLive},
		{"UnstableRoute", testUnstableRoute},
		{"RouteThatChangesSeldom", testRouteThatChangesSeldom},
		{"LearnInTurns", testLearnInTurns},
		{"RouteThatCannotBeWritten", testRouteThatCannotBeWritten},
		{"DamagedRoute", testDamagedRoute},
		{"RoutesByThreads", testRoutesByThreads},

		{"Records", testRecords},

		{"News", testNews},
		{"NewsOfRecords", testNewsOfRecords},

		{"Model", testModel},
		{"Simulation", testSimulation},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, empty) })
	}
}
