"""Runs the tests of a module of Python's own, and prints a line of the Test Anything Protocol for each.
None of them leaves this machine."""
import sys
import unittest

from test import support

support.verbose = 0
support.use_resources = ["cpu", "walltime"]  # not "network"


class Lines(unittest.TestResult):
    """A failed subtest fails its test."""

    def startTest(self, test):
        super().startTest(test)
        self.before = len(self.failures) + len(self.errors)
        self.outcome = ("ok", "")

    def stopTest(self, test):
        if len(self.failures) + len(self.errors) > self.before:
            self.outcome = ("not ok", "")
        self.say(test, *self.outcome)
        super().stopTest(test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcome = ("ok", " # SKIP " + reason)

    def addError(self, test, err):
        super().addError(test, err)
        if not isinstance(test, unittest.TestCase):  # what is set up for a class or a module
            self.say(test, "not ok", "")

    def say(self, test, outcome, comment):
        print(outcome, "-", test.id().replace("#", ""), comment.replace("\n", " "), file=sys.__stdout__, flush=True)


tests = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
result = Lines()
tests.run(result)
for test, trace in result.failures + result.errors:
    print(test, trace, sep="\n", file=sys.__stderr__)
sys.exit(0 if result.wasSuccessful() else 1)
