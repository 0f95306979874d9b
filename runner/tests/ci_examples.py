"""ci_examples.py ROOT SMCRUN: the examples of runner/ci, done as the services would do them.

Their commands run in a folder with scenarios of its own, without credentials and without a network; what installs something
is left out.  All machines of an example together must run every spec once.
"""
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the tree stays as it is
import composite
import yaml

ROOT, SMCRUN = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
OURS = "OWNER/smcrun@COMMIT"
SPECS = 12
SPEC = """it("needs them {0}", function()
  local smc = require "smc"
  assert(smc.venue("binance"):ping())
  assert.is_true(smc.venue("bybit"):time() ~= nil)
end)
"""
WORKFLOW = {"name", "on", "permissions", "jobs"}
GITHUB_JOB = {"runs-on", "container", "needs", "if", "outputs", "strategy", "concurrency", "steps"}
GITLAB_JOB = {"image", "stage", "needs", "parallel", "variables", "before_script", "script", "artifacts", "extends", "rules",
              "resource_group", "when"}
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)


def need(condition, text):
    if not condition:
        sys.exit(f"ci_examples: {text}")


def make_workspace(folder):
    for i in range(SPECS):
        file = folder / "scenarios" / ("connection" if i < 5 else "more") / f"f{i}.lua"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SPEC.format(i), encoding="utf-8")
    (folder / "scenarios" / "suites.lua").write_text('return { basic = { "connection" } }\n', encoding="utf-8")
    (folder / "bin").mkdir()
    (folder / "bin" / "smcrun").symlink_to(SMCRUN)
    for tool in ("apt-get", "sudo"):
        (folder / "bin" / tool).write_text("#!/bin/sh\n", encoding="utf-8")
        (folder / "bin" / tool).chmod(0o755)


def environment(folder, **more):
    return {"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": str(folder), "RUNNER_TEMP": str(folder), "LC_ALL": "C"} | more


def run(folder, command, env):
    """What it printed, and its status."""
    done = subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, done.returncode


def passed(printed, what):
    found = COUNTS.findall(printed)
    need(found, f"{what}: no counts:\n{printed}")
    return int(found[-1][0])


def fill(value, combination, total):
    def known(match):
        name = match[1].strip()
        if name.startswith("secrets."):
            return ""
        return str(total if name == "strategy.job-total" else combination[name.removeprefix("matrix.")])
    return composite.EXPRESSION.sub(known, str(value))


# ---- GitHub ----------------------------------------------------------------


def use_ours(folder, step, combination, total):
    """Done by the action itself: its exit status, and how many have passed."""
    given = [f"{k}={fill(v, combination, total)}" for k, v in step.get("with", {}).items()]
    env = environment(folder, **{k: fill(v, combination, total) for k, v in step.get("env", {}).items()})
    printed, status = run(folder, [sys.executable, composite.__file__, str(ROOT), "deb=/dev/null", *given], env)
    uploaded = re.search(r"upload-artifact {'name': '([^']*)', 'path': '([^']*)'}", printed)
    if uploaded:
        shutil.copytree(folder / uploaded[2], folder / "artifacts" / uploaded[1], dirs_exist_ok=True)
    return status, passed(printed, step)


def asks(folder, script):
    """The job that decides: what does it make of the message of the newest commit?"""
    answers = {}
    env = environment(folder, GITHUB_OUTPUT=str(folder / "told"), GIT_CONFIG_GLOBAL="/dev/null")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example"]
    for message in ("fix [integration]", "title\n\nbody with [integration] in it", "integration", "[INTEGRATION]"):
        (folder / "told").write_text("", encoding="utf-8")
        subprocess.run([*git, "init", "-q"], cwd=folder, env=env, check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], cwd=folder, env=env, check=True)
        printed, status = run(folder, ["bash", "-eo", "pipefail", "-c", script], env)
        need(status == 0, f"the step that asks: {printed}")
        answers[message] = (folder / "told").read_text(encoding="utf-8")
    need(list(answers.values()) == ["integration=yes\n"] * 2 + [""] * 2, f"the step that asks: {answers}")


def github(name, folder):
    with open(ROOT / "runner/ci" / name, encoding="utf-8") as f:
        workflow = yaml.safe_load(f)
    workflow["on"] = workflow.pop(True)  # YAML 1.1
    need(set(workflow) == WORKFLOW and workflow["permissions"] == {"contents": "read"}, f"{name}: keys")
    ours, told = [], set()
    for title, job in workflow["jobs"].items():
        need(set(job) <= GITHUB_JOB and job.get("needs", title) in workflow["jobs"], f"{name}: job {title}")
        told |= {f"{title}.outputs.{output}" for output in job.get("outputs", {})}
        need(all(f"needs.{use}" in {f"needs.{t}" for t in told} for use in re.findall(r"needs\.(\w+\.outputs\.\w+)",
                                                                                     job.get("if", ""))), f"{name}: if")
        matrix = job.get("strategy", {}).get("matrix", {})
        combinations = [{k: v for k, v in zip(matrix, values)} for values in itertools.product(*matrix.values())]
        for step in job["steps"]:
            uses = step.get("uses", "")
            need(("run" in step) != bool(uses), f"{name}: a step does one thing")
            need(not uses or uses == OURS or composite.PINNED.match(uses), f"{name}: {uses} is not pinned")
            need(not composite.EXPRESSION.search(step.get("run", "")), f"{name}: an expression in a script")
            if "run" in step:
                asks(folder, step["run"])
            if uses.startswith("actions/download-artifact@"):
                for artifact in (folder / "artifacts").glob(step["with"]["pattern"]):
                    shutil.copytree(artifact, folder / step["with"]["path"] / artifact.name)
            if uses == OURS:
                ours += [use_ours(folder, step, c, len(combinations)) for c in combinations]
    need(ours, f"{name} does not use smcrun")
    return ours


# ---- GitLab ----------------------------------------------------------------


def gitlab(name, folder):
    with open(ROOT / "runner/ci" / name, encoding="utf-8") as f:
        pipeline = yaml.safe_load(f)
    outcomes = {}
    for title, job in pipeline.items():
        need(title == "default" or set(job) <= GITLAB_JOB, f"{name}: job {title}")
        need(all(n in pipeline for n in (*job.get("needs", []), job.get("extends", title))), f"{name}: {title} needs what?")
        commands = [c for c in job.get("script", []) if c.startswith("smcrun ")]
        total = job.get("parallel", 1)
        for index, command in itertools.product(range(1, total + 1), commands):
            for file in ("junit.xml", "report.html"):
                (folder / file).unlink(missing_ok=True)
            env = environment(folder, CI_NODE_TOTAL=str(total), **({"CI_NODE_INDEX": str(index)} if total > 1 else {}))
            printed, status = run(folder, ["bash", "-eo", "pipefail", "-c", command], env)
            written = [file for file in ("junit.xml", "report.html") if (folder / file).exists()]
            need(written, f"{name}: {title} writes nothing:\n{printed}")
            outcomes.setdefault(title, []).append((status, passed(printed, title)))
    return outcomes


def main():
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        make_workspace(folder)
        done = github("github.yml", folder)
        need(done == [(5, 0)], f"github.yml: without credentials nothing runs, and that is told: {done}")
        done = github("github_shards.yml", folder)
        need([s for s, _ in done] == [0] * 5, f"github_shards.yml: {done}")
        need(sum(n for _, n in done[:4]) == SPECS == done[4][1], f"github_shards.yml: {done}")
        done = gitlab("gitlab.yml", folder)
        need(done["integration"] == [(5, 0)], f"gitlab.yml: without credentials nothing runs, and that is told: {done}")
        need(done["report"] == [(0, SPECS)], f"gitlab.yml: one report of all: {done}")
        done = done["scenarios"]
        need([s for s, _ in done] == [0] * 4 and sum(n for _, n in done) == SPECS, f"gitlab.yml: {done}")
    named = re.findall(r"\]\(([^)]*)\)", (ROOT / "runner/ci/README.md").read_text(encoding="utf-8"))
    for file in (ROOT / "runner/ci").glob("*.yml"):
        need(file.name in named, f"{file.name} is not in the page")


if __name__ == "__main__":
    main()
