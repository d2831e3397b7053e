package haproxy_test

import (
	"testing"

	"gosess/tests/harness"
	"gosess/tests/versions"
)

// system is whose HAProxy the tests start: this machine's, but in TestTrixie.
var system harness.System

// What depends on HAProxy, on libssl or on the C library, with those of the next Debian.
func TestTrixie(t *testing.T) {
	system = versions.Trixie(t)
	defer func() { system = harness.System{} }()
	for name, test := range map[string]func(*testing.T){
		"Matrix":                        TestMatrix,
		"ResumesAfterReload":            TestResumesAfterReload,
		"ResumesWhileReloading":         TestResumesWhileReloading,
		"ResumesAfterRestart":           TestResumesAfterRestart,
		"ForgetsWithoutGosess":          TestForgetsWithoutGosess,
		"BackendCountsTheSame":          TestBackendCountsTheSame,
		"States":                        TestStates,
		"RenewedCertificates":           TestRenewedCertificates,
		"CertificateOverTheCommandLine": TestCertificateOverTheCommandLine,
		"ManyHandshakes":                TestManyHandshakes,
		"ManyReloads":                   TestManyReloads,
		"NoResumptionAcrossAuthorities": TestNoResumptionAcrossAuthorities,
		"SignalsAreItsOwn":              TestSignalsAreItsOwn,
		"ThreadsAnswer":                 TestThreadsAnswer,
		"ServesInTheForeground":         TestServesInTheForeground,
		"BlockingStore":                 TestBlockingStore,
		"ReloadSignalsUnderLoad":        TestReloadSignalsUnderLoad,
		"EndSignalsUnderLoad":           TestEndSignalsUnderLoad,
		"HandlersAreItsOwn":             TestHandlersAreItsOwn,
		"Faults":                        TestFaults,
		"NothingIsLeft":                 TestNothingIsLeft,
		"ConfigurationTestWithABadURL":  TestConfigurationTestWithABadURL,
		"WhereTheCoreIs":                TestWhereTheCoreIs,
		"NoThreadIsLate":                TestNoThreadIsLate,
	} {
		t.Run(name, test)
	}
}
