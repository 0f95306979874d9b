"""A program at a terminal, for tests of what asks a person: type, and wait until it shows what is wanted."""
import os
import pty
import re
import select
import signal
import sys
import termios
import time

PATIENCE_S = 60  # on a machine that is busy
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][0-9A-B]|\x1b[=>]|[\x07\r]|.\x08")

checks = failures = 0


def check(what, fine, shown=""):
    global checks, failures
    checks += 1
    if not fine:
        failures += 1
        print(f"{what}\n  | " + str(shown)[-2000:].replace("\n", "\n  | "))


def verdict():
    print(f"{checks} checks, {failures} failed")
    sys.exit(failures != 0)


class Terminal:
    def __init__(self, argv, env, cwd=None):
        self.raw = b""  # all that it has shown
        self.text = ""  # the same without what moves the cursor
        self.seen = 0   # up to here it was expected
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if cwd:
                os.chdir(cwd)
            os.execvpe(argv[0], argv, {**os.environ, "TERM": "xterm", "NO_COLOR": "1", **env})

    def _read(self, until):
        ready, _, _ = select.select([self.fd], [], [], max(0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other side is closed
            data = b""
        self.raw += data  # a sequence, or a letter, may come in two pieces
        self.text = CONTROL.sub("", self.raw.decode(errors="replace"))
        return data != b""

    def expect(self, *wanted):
        """Each of them, one behind the other, in what it shows from here on."""
        until = time.monotonic() + PATIENCE_S
        for text in wanted:
            at = self.text.find(text, self.seen)
            while at < 0 and self._read(until):
                at = self.text.find(text, self.seen)
            check(f"wanted: {text!r}", at >= 0, self.text)
            if at >= 0:
                self.seen = at + len(text)

    def type(self, text):
        os.write(self.fd, text.encode())

    def ends(self, status):
        """It ends by itself, with this exit status."""
        until = time.monotonic() + PATIENCE_S
        while self._read(until):
            pass
        if time.monotonic() >= until:
            os.kill(self.pid, signal.SIGKILL)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        check("its terminal echoes again", termios.tcgetattr(self.fd)[3] & termios.ECHO)
        os.close(self.fd)
        check(f"exit status {status}, not {self.status}", self.status == status, self.text)

    def kill(self, number):
        os.kill(self.pid, number)
