"""Run a unittest module and print TAP, so that every test counts for itself.

A test program ends with `tap.main()`. Arguments: names (or parts of names) of the tests to
run. What a failing test says comes after its line as diagnostics.
"""

import sys
import traceback
import unittest


def sentence(test):
    """`apps.TestCreate.test_a_task_is_stored` -> `a_task_is_stored`."""
    if not isinstance(test, unittest.TestCase):  # setUpClass and the like
        return str(test)
    name = test.id().rsplit(".", 1)[-1]
    return name[len("test_"):] if name.startswith("test_") else name


class TapResult(unittest.TestResult):
    def __init__(self, out):
        super().__init__()
        self.out = out
        self.number = 0
        self.failed_subtests = []

    def line(self, ok, test, note=""):
        self.number += 1
        self.out.write(f"{'ok' if ok else 'not ok'} {self.number} - {sentence(test)}{note}\n")
        self.out.flush()

    def tell(self, text):
        for line in text.rstrip("\n").split("\n"):
            self.out.write(f"# {line}\n")
        self.out.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line(not self.failed_subtests, test)
        for text in self.failed_subtests:
            self.tell(text)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line(True, test, f" # SKIP {reason}")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.failed_subtests.append(subtest._subDescription() + "\n" + readable(err))

    def stopTest(self, test):
        super().stopTest(test)
        # A test with failed subtests gets neither addSuccess nor addFailure.
        if self.failed_subtests and not self._counted(test):
            self.line(False, test)
            for text in self.failed_subtests:
                self.tell(text)
        self.failed_subtests = []

    def _counted(self, test):
        return any(test is failed for failed, _ in self.failures + self.errors
                   if not hasattr(failed, "test_case"))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._bad(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._bad(test, err)

    def _bad(self, test, err):
        self.line(False, test)
        for text in self.failed_subtests:
            self.tell(text)
        self.tell(readable(err))
        owner = getattr(test, "server", None) or getattr(type(test), "server", None)
        if owner is not None and hasattr(owner, "log_tail"):
            self.tell("log of the server:\n" + owner.log_tail())


def readable(err):
    """The way to the failure, without unittest's own frames."""
    told = traceback.TracebackException(*err)
    told.stack = traceback.StackSummary.from_list(
        [frame for frame in told.stack if "/unittest/" not in frame.filename])
    return "".join(told.format()).rstrip()


def main(module="__main__"):
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    wanted = sys.argv[1:]
    tests = [test for test in flatten(suite)
             if not wanted or any(word in test.id() for word in wanted)]
    result = TapResult(sys.stdout)
    unittest.TestSuite(tests).run(result)
    # A class that could not be set up reports once for all of its tests.
    while result.number < len(tests):
        result.number += 1
        print(f"not ok {result.number} - not run, see above")
    print(f"1..{result.number}", flush=True)
    sys.exit(0 if result.wasSuccessful() else 1)


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item
