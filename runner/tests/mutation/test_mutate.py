"""The list of mutants fits this tree, and mutate.py says by name what does not fit.  Builds nothing."""
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import mutate  # noqa: E402

SOURCE = "a = 1\nb = 2\nreturn a\nb = 2\nreturn b\n"


def mutant(*lines, kind="constant"):
    m = mutate.Mutant("one", kind, "mutants.txt:7")
    for line in ("x.lua",) + lines:
        m.add(line)
    m.check()
    return m


def told(words):
    """The exit status of mutate.py, and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = mutate.main(words)
    return status, out.getvalue(), err.getvalue()


class TheList(unittest.TestCase):
    def test_fits_this_tree(self):
        status, out, err = told(["--check"])
        self.assertEqual((0, ""), (status, err))
        self.assertRegex(out, r"^\d+ mutants, each applies once\n$")

    def test_has_each_kind_and_each_part(self):
        mutants = mutate.read_list()
        self.assertGreaterEqual(len(mutants), 60)
        self.assertEqual(mutate.KINDS, {m.kind for m in mutants})
        for part in ("core/policy/limiter", "core/policy/breaker", "core/policy/retry", "core/policy/health",
                     "core/policy/failover", "core/policy/risk", "core/sign/", "core/market/",
                     "bindings/lua/smc/venue/guard", "bindings/lua/smc/venue/binance/",
                     "bindings/lua/smc/venue/bybit/", "bindings/lua/smc/venue/oanda/",
                     "bindings/lua/smc/sandbox/binance/", "bindings/lua/smc/sandbox/bybit/",
                     "bindings/lua/smc/sandbox/oanda/"):
            self.assertTrue(any(m.file.startswith(part) for m in mutants), part)


class AMutant(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "x.lua").write_text(SOURCE)

    def wrong(self, *lines):
        with self.assertRaises(mutate.Wrong) as caught:
            mutant(*lines).applied(self.root)
        self.assertTrue(str(caught.exception).startswith("mutants.txt:7: one: "), caught.exception)
        return str(caught.exception)

    def test_changes_its_line_and_no_other(self):
        self.assertEqual(SOURCE.replace("a = 1", "a = 3"), mutant("-a = 1", "+a = 3").applied(self.root))

    def test_drops_its_line(self):
        self.assertEqual(SOURCE.replace("a = 1\n", ""), mutant("-a = 1").applied(self.root))

    def test_is_found_by_the_lines_around_it(self):
        self.assertEqual("a = 1\nb = 2\nreturn a\nb = 3\nreturn b\n",
                         mutant("-b = 2", "+b = 3", " return b").applied(self.root))

    def test_that_does_not_apply_any_more_is_named(self):
        self.assertIn("in x.lua this is not there any more:\na = 9", self.wrong("-a = 9", "+a = 8"))

    def test_that_applies_twice_is_named(self):
        self.assertIn("in x.lua this is there 2 times", self.wrong("-b = 2", "+b = 3"))

    def test_whose_file_is_gone_is_named(self):
        (self.root / "x.lua").unlink()
        self.assertIn("there is no x.lua", self.wrong("-a = 1", "+a = 3"))

    def test_that_changes_more_than_a_line_or_nothing_is_refused(self):
        for lines in (["+a = 3"], ["-a = 1", "-b = 2"], ["-a = 1", "+a = 1"], ["-a = 1", "+a = 2", "+a = 3"], []):
            self.assertIn("mutants.txt:7: one: ", self.wrong(*lines))

    def test_of_an_unknown_kind_is_refused(self):
        with self.assertRaisesRegex(mutate.Wrong, "'typo' is no kind; kinds: "):
            mutant("-a = 1", "+a = 3", kind="typo")


class TheScore(unittest.TestCase):
    def enough(self, killed, survived, hung=0):
        words = ["killed"] * killed + ["SURVIVED"] * survived + ["hung"] * hung
        verdicts = [mutate.Verdict(mutant("-a = 1", "+a = 3"), word, [], 0) for word in words]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            return mutate.summary(verdicts), out.getvalue()

    def test_is_enough_from_95_percent_on(self):
        self.assertTrue(self.enough(95, 5)[0])
        self.assertFalse(self.enough(94, 6)[0])

    def test_counts_what_hung_as_not_killed_and_says_so(self):
        enough, out = self.enough(94, 0, hung=6)
        self.assertFalse(enough)
        self.assertIn("94 of 100 mutants killed (94.0 %), 0 survived, 6 hung", out)


class TheCommandLine(unittest.TestCase):
    def test_names_a_mutant_that_there_is_not(self):
        self.assertEqual((2, "", "mutate.py: no mutant is named 'limitr-*'; mutate.py --list has their names\n"),
                         told(["--list", "limitr-*"]))

    def test_lists_what_patterns_choose(self):
        status, out, _ = told(["--list", "health-*"])
        names = [line.split()[0] for line in out.splitlines()]
        self.assertEqual(0, status)
        self.assertTrue(names and all(name.startswith("health-") for name in names), names)


if __name__ == "__main__":
    unittest.main()
