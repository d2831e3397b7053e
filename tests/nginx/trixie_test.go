package nginx_test

import (
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// system is whose nginx the tests start: this machine's, but in TestTrixie.
var system harness.System

// What depends on nginx, on libssl or on the C library, with those of the next Debian.
func TestTrixie(t *testing.T) {
	system = versions.Trixie(t)
	defer func() { system = harness.System{} }()
	for name, test := range map[string]func(*testing.T){
		"HandlersAreItsOwn":                TestHandlersAreItsOwn,
		"Threads":                          TestThreads,
		"LimitOfThreads":                   TestLimitOfThreads,
		"LimitsOfMemoryAndFiles":           TestLimitsOfMemoryAndFiles,
		"CoreDump":                         TestCoreDump,
		"SecretsOfSessions":                TestSecretsOfSessions,
		"LockedKeys":                       TestLockedKeys,
		"ConfigurationTest":                TestConfigurationTest,
		"ConfigurationTestWithABadURL":     TestConfigurationTestWithABadURL,
		"ExpiresAsItWasStored":             TestExpiresAsItWasStored,
		"OwnCacheWithoutACore":             TestOwnCacheWithoutACore,
		"CountersOfAStoreInMemory":         TestCountersOfAStoreInMemory,
		"TicketsOnAndAClientWithoutThem":   TestTicketsOnAndAClientWithoutThem,
		"BinaryUpgrade":                    TestBinaryUpgrade,
		"Mail":                             TestMail,
		"Stream":                           TestStream,
		"UpstreamCountsTheSame":            TestUpstreamCountsTheSame,
		"AnonymousStoreEndsWithItsMaster":  TestAnonymousStoreEndsWithItsMaster,
		"Expires":                          TestExpires,
		"Faults":                           TestFaults,
		"ManyReloads":                      TestManyReloads,
		"MasterIsKilled":                   TestMasterIsKilled,
		"NoResumptionAcrossListeners":      TestNoResumptionAcrossListeners,
		"RemovedAfterFailedVerification":   TestRemovedAfterFailedVerification,
		"RenewedCertificates":              TestRenewedCertificates,
		"CertificatesWithVariables":        TestCertificatesWithVariables,
		"NameBecomesStricter":              TestNameBecomesStricter,
		"NameOnTwoPorts":                   TestNameOnTwoPorts,
		"FullHandshakesOfNames":            TestFullHandshakesOfNames,
		"States":                           TestStates,
		"SessionOfAnotherCipherPolicy":     TestSessionOfAnotherCipherPolicy,
		"SessionOfAnotherVersion":          TestSessionOfAnotherVersion,
		"SessionOfferedWhereTheCacheIsOff": TestSessionOfferedWhereTheCacheIsOff,
		"SignalsAreItsOwn":                 TestSignalsAreItsOwn,
		"SignalsUnderLoad":                 TestSignalsUnderLoad,
		"ClientCertificates":               TestClientCertificates,
		"CountersAgreeWithTheClient":       TestCountersAgreeWithTheClient,
		"Matrix":                           TestMatrix,
		"MasterIsLeftAlone":                TestMasterIsLeftAlone,
		"NoResumptionAcrossAuthorities":    TestNoResumptionAcrossAuthorities,
		"NoResumptionAcrossCertificates":   TestNoResumptionAcrossCertificates,
		"NoResumptionAcrossNames":          TestNoResumptionAcrossNames,
		"OffStaysOff":                      TestOffStaysOff,
		"OneAuthorityOnTwoPorts":           TestOneAuthorityOnTwoPorts,
		"ReopensItsLogs":                   TestReopensItsLogs,
		"ResumesAcrossWorkers":             TestResumesAcrossWorkers,
		"ResumesAfterAWorkerDies":          TestResumesAfterAWorkerDies,
		"ResumesAfterReload":               TestResumesAfterReload,
		"ResumesAfterRestart":              TestResumesAfterRestart,
		"ResumesAfterUncleanClose":         TestResumesAfterUncleanClose,
		"ResumesBesideNamesThatVerify":     TestResumesBesideNamesThatVerify,
		"ResumesWhileReloading":            TestResumesWhileReloading,
		"ResumesWithHelloRetryRequest":     TestResumesWithHelloRetryRequest,
		"ResumesWithoutRoot":               TestResumesWithoutRoot,
		"RevokedClient":                    TestRevokedClient,
		"SessionCacheModes":                TestSessionCacheModes,
		"StatefulTickets":                  TestStatefulTickets,
		"TicketsAreNotStored":              TestTicketsAreNotStored,
		"UnsetIsAsWithout":                 TestUnsetIsAsWithout,
	} {
		t.Run(name, test)
	}
}
