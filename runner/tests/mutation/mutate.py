#!/usr/bin/env python3
"""Breaks the product in one line, builds it, runs its own scenarios; and so on for every line of mutants.txt.

  mutate.py [OPTION...] [MUTANT...]   names as in mutants.txt, also patterns: 'limiter-*'; none: all of them

A mutant is killed when a spec of `smcrun --suite full` fails; the one that did so the last time is asked first.  Each
runs in a copy of this tree, below --work, so nothing that is edited here meanwhile matters.
Exit status: 0 enough were killed, 1 too few, 2 the list or the build is wrong.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
LIST = HERE / "mutants.txt"
KINDS = {"comparison", "off by one", "sign", "constant", "reset", "branch", "condition", "order", "field"}
NEEDED = 95  # percent
BUILD_FOLDERS = {"build", ".git", "node_modules", "__pycache__", ".smcrun"}


class Wrong(Exception):
    """What the list or the build has wrong, for people."""


# ---- the list --------------------------------------------------------------------------------

class Mutant:
    """A block of mutants.txt: one line before ('-'), the line after ('+', none: it is dropped), lines around (' ')."""

    def __init__(self, name, kind, where):
        self.name, self.kind, self.where = name, kind, where
        self.file, self.lines, self.reason = None, [], None

    def add(self, line):
        if line.startswith("~"):
            self.reason = ((self.reason or "") + " " + line[1:].strip()).strip()
        elif self.file is None:
            self.file = line
        else:
            self.lines.append(line)

    def check(self):
        signs = [line[:1] for line in self.lines]
        if self.kind not in KINDS:
            raise Wrong(f"{self.where}: {self.name}: '{self.kind}' is no kind; kinds: {', '.join(sorted(KINDS))}")
        if set(signs) - set(" -+") or signs.count("-") != 1 or signs.count("+") > 1:
            raise Wrong(f"{self.where}: {self.name}: a file, then one line with '-', at most one with '+', "
                        "and lines around them with a blank, expected")
        if self.before() == self.after():
            raise Wrong(f"{self.where}: {self.name}: changes nothing")

    def before(self):
        return [line[1:] for line in self.lines if line[0] != "+"]

    def after(self):
        return [line[1:] for line in self.lines if line[0] != "-"]

    def applied(self, root):
        """The file's text with the change in it."""
        path = root / self.file
        if not path.is_file():
            raise Wrong(f"{self.where}: {self.name}: there is no {self.file}")
        text = path.read_text().split("\n")
        before = self.before()
        places = [i for i in range(len(text)) if text[i:i + len(before)] == before]
        if len(places) != 1:
            found = "is not there any more" if not places else f"is there {len(places)} times: add a line around it"
            raise Wrong(f"{self.where}: {self.name}: in {self.file} this {found}:\n" + "\n".join(before))
        text[places[0]:places[0] + len(before)] = self.after()
        return "\n".join(text)


def read_list():
    mutants, now = [], None
    for number, line in enumerate(LIST.read_text().split("\n"), 1):
        where = f"{LIST.name}:{number}"
        if line.startswith("[") and "] " in line:
            name, kind = line[1:].split("] ", 1)
            now = Mutant(name, kind, where)
            mutants.append(now)
        elif not line:
            now = None
        elif now is not None:
            now.add(line)
        elif not line.startswith("#"):
            raise Wrong(f"{where}: a block begins with [name] kind; a comment with #")
    for mutant in mutants:
        mutant.check()
    twice = [name for name, n in collections.Counter(m.name for m in mutants).items() if n > 1]
    if twice:
        raise Wrong(f"{LIST.name}: there twice: {', '.join(twice)}")
    return mutants


def check_all(mutants):
    """Every mutant applies, once, and Lua still compiles."""
    wrong = []
    for mutant in mutants:
        try:
            text = mutant.applied(ROOT)
        except Wrong as why:
            wrong.append(str(why))
            continue
        if mutant.file.endswith(".lua"):
            done = subprocess.run(["luac5.4", "-p", "-"], input=text, capture_output=True, text=True)
            if done.returncode != 0:
                wrong.append(f"{mutant.where}: {mutant.name}: {done.stderr.strip()}")
    if wrong:
        raise Wrong("\n".join(wrong))


def chosen(mutants, patterns):
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(m.name, pattern) for m in mutants):
            raise Wrong(f"no mutant is named '{pattern}'; mutate.py --list has their names")
    return [m for m in mutants if not patterns or any(fnmatch.fnmatchcase(m.name, p) for p in patterns)]


# ---- a copy of the tree, and its build ---------------------------------------------------------

def write_if_other(path, data):
    """Only what differs is written: ninja goes by the time of a file."""
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def copy_tree(to):
    wanted = set()
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in BUILD_FOLDERS]
        for name in files:
            source = pathlib.Path(folder) / name
            path = to / source.relative_to(ROOT)
            wanted.add(path)
            write_if_other(path, source.read_bytes())
            shutil.copymode(source, path)
    for folder, folders, files in os.walk(to):
        folders[:] = [name for name in folders if name not in BUILD_FOLDERS]
        for path in (pathlib.Path(folder) / name for name in files):
            if path not in wanted:
                path.unlink()


class Copy:
    """A tree to break, with a build of its own."""

    def __init__(self, work, options):
        self.tree, self.build, self.options = work / "tree", work / "build", options
        self.report, self.unbroken = work / "report.jsonl", None

    def command(self, *words, seconds):
        # In a session of its own: what is late is ended with all that it has started.
        with subprocess.Popen(words, cwd=self.tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", start_new_session=True) as run:
            try:
                output, _ = run.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                run.communicate()
                return None, ""
        return run.returncode, output

    def prepare(self):
        """Copies and builds the tree as it is."""
        copy_tree(self.tree)
        status, output = self.command(
            "cmake", "-S", ".", "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_C_FLAGS_RELEASE=-O1 -DNDEBUG", seconds=300)
        if status != 0:
            raise Wrong("the build can't be configured:\n" + output)
        self.unbroken = self.make()

    def check(self):
        status, output, _ = self.run("--suite", "full", "-x")
        if status != 0:
            raise Wrong("the scenarios fail without any change:\n" + output)

    def make(self):
        status, output = self.command("cmake", "--build", self.build, "--target", "smcrun", seconds=1800)
        if status != 0:
            raise Wrong("it does not compile:\n" + output)
        return (self.build / "runner/smcrun").read_bytes()

    def run(self, *what):
        """Returns the exit status (None: it hung), the output, and the ids of the specs that failed."""
        self.report.unlink(missing_ok=True)
        status, output = self.command(self.build / "runner/smcrun", "--no-color", "--seed", "1", "--report",
                                      f"json:{self.report}", *what, seconds=self.options.limit)
        failed = []
        for line in self.report.read_text().splitlines() if self.report.exists() else []:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # cut off, as it was killed
            bad = event.get("type") == "file_error" or event.get("status") in ("fail", "error")
            if bad and event.get("kind") != "stopped":  # it was under way when another one failed
                failed.append(event["id"])
        return status, output, failed

    def judge(self, killer):
        """The same; killer: a spec, or what else smcrun takes for a path, that is asked first."""
        if not self.options.fast:
            return self.run("--suite", "full")
        if killer is not None:
            status, output, failed = self.run(killer, "-x")
            if status in (1, 2) and failed:
                return status, output, failed
        return self.run("--suite", "full", "-x")


# ---- one mutant --------------------------------------------------------------------------------

Verdict = collections.namedtuple("Verdict", "mutant word failed seconds")


def judge(copy, mutant, killer):
    """Builds and runs it, and puts the file back.  killer: the spec that failed the last time, or None."""
    began = time.monotonic()
    path = copy.tree / mutant.file
    whole = path.read_bytes()
    try:
        path.write_bytes(mutant.applied(copy.tree).encode())
        same = copy.make() == copy.unbroken
        status, output, failed = (0, "", []) if same else copy.judge(killer)
    except Wrong as why:
        raise Wrong(f"{mutant.where}: {mutant.name}: {why}") from None
    finally:
        path.write_bytes(whole)
    if same:
        raise Wrong(f"{mutant.where}: {mutant.name}: the program is the same, byte for byte")
    if status not in (None, 0, 1, 2):
        raise Wrong(f"{mutant.where}: {mutant.name}: smcrun ended with {status}:\n{output}")
    word = "hung" if status is None else "SURVIVED" if status == 0 else "killed"
    return Verdict(mutant, word, failed, time.monotonic() - began)


def told(verdict, fast):
    how = ""
    if verdict.failed:
        how = verdict.failed[0] if fast else f"{len(verdict.failed)}: {verdict.failed[0]}"
    elif verdict.word == "killed":
        how = "the run itself failed"
    elif verdict.word == "SURVIVED" and verdict.mutant.reason:
        how = verdict.mutant.reason
    return f"{verdict.word:8}  {verdict.mutant.name:38}  {verdict.seconds:4.0f} s  {how.replace('scenarios/', '', 1)}"


def run_all(mutants, options):
    copies, known = queue.Queue(), options.work / "killers.json"
    killers = json.loads(known.read_text()) if known.exists() else {}
    for i in range(min(options.jobs, len(mutants))):
        work = options.work / str(i)
        work.mkdir(parents=True, exist_ok=True)
        copy = Copy(work, options)
        copy.prepare()
        if i == 0:
            copy.check()
        copies.put(copy)

    writing = threading.Lock()

    def one(mutant):
        copy = copies.get()
        try:
            verdict = judge(copy, mutant, killers.get(mutant.name))
        finally:
            copies.put(copy)
        with writing:
            killers[mutant.name] = verdict.failed[0] if verdict.failed else None
            known.write_text(json.dumps(killers, indent=1))
        print(told(verdict, options.fast), flush=True)
        return verdict

    by_file = sorted(mutants, key=lambda m: m.file)  # what is put back is compiled with the next change of it
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(one, m) for m in by_file]
        wrong = [str(f.exception()) for f in futures if f.exception()]
    if wrong:
        raise Wrong("\n".join(wrong))
    return [f.result() for f in futures]


def summary(verdicts):
    """Prints the table of kinds, and the score.  Returns whether it is enough."""
    total, killed = collections.Counter(), collections.Counter()
    for v in verdicts:
        total[v.mutant.kind] += 1
        killed[v.mutant.kind] += v.word == "killed"
    print()
    for kind in sorted(total):
        print(f"{kind:12} {killed[kind]:3} of {total[kind]:3}")
    n, all_of_them = sum(killed.values()), len(verdicts)
    hung = sum(v.word == "hung" for v in verdicts)
    print(f"{n} of {all_of_them} mutants killed ({100 * n / all_of_them:.1f} %), "
          f"{all_of_them - n - hung} survived, {hung} hung")
    return 100 * n >= NEEDED * all_of_them


def parse(words):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("mutants", nargs="*", metavar="MUTANT")
    p.add_argument("--list", action="store_true", help="print the mutants, and run nothing")
    p.add_argument("--check", action="store_true", help="only see whether all apply to this tree, and build nothing")
    p.add_argument("--count", dest="fast", action="store_false",
                   help="run all specs and count those that fail; else a run ends at the first one")
    p.add_argument("-j", "--jobs", type=int, default=1, help="so many at a time, each with a build of its own (1)")
    p.add_argument("--limit", type=float, default=300, help="real seconds after which a run has hung (300)")
    p.add_argument("--work", type=pathlib.Path, default=ROOT / "build/mutation", help="where copies are (build/mutation)")
    options = p.parse_args(words)
    if options.jobs < 1:
        p.error("--jobs is a number from 1 on")
    if ROOT in options.work.resolve().parents and not BUILD_FOLDERS & set(options.work.resolve().relative_to(ROOT).parts):
        p.error("--work lies in this tree: below build/, or outside")
    options.work = options.work.resolve()
    return options


def main(words):
    options = parse(words)
    try:
        mutants = chosen(read_list(), options.mutants)
        check_all(mutants)
        if options.list:
            for m in mutants:
                print(f"{m.name:38}  {m.kind:12}  {m.file}")
        if options.check:
            print(f"{len(mutants)} mutants, each applies once")
        if options.list or options.check:
            return 0
        return 0 if summary(run_all(mutants, options)) else 1
    except Wrong as why:
        print(f"mutate.py: {why}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
