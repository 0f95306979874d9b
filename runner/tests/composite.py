"""composite.py FOLDER [INPUT=VALUE...] [STEP.OUTPUT=VALUE...]: runs a composite action of GitHub's as its runner does.

The steps with `run` are run, with the environment of this process, in the present folder; of a step with `uses` is printed what
it would be given.  What a step of the other kind would answer is said as STEP.OUTPUT=VALUE.  Refuses an action that GitHub would
refuse, and one whose scripts have expressions inside: there text of others would become commands.
"""
import os
import re
import subprocess
import sys
import tempfile

import yaml

EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
ACTION_KEYS = {"name", "description", "author", "branding", "inputs", "outputs", "runs"}
STEP_KEYS = {"id", "name", "if", "uses", "with", "run", "shell", "env", "working-directory", "continue-on-error"}


def need(condition, text):
    if not condition:
        sys.exit(f"composite: {text}")


def check(action):
    need(set(action) <= ACTION_KEYS and {"name", "description", "runs"} <= set(action), "keys of the action")
    need(action["runs"].get("using") == "composite", "it is not composite")
    for name, spec in action.get("inputs", {}).items():
        need(set(spec) <= {"description", "required", "default"} and spec.get("description"), f"input {name}")
        need(re.search(rf"inputs\.{name}\b", yaml.dump(action["runs"], width=1 << 20)), f"input {name} is not used")
    known = set()
    for step in action["runs"]["steps"]:
        title = step.get("name", step.get("id"))
        need(set(step) <= STEP_KEYS and ("run" in step) != ("uses" in step), f"keys of step {title}")
        need("uses" in step or step.get("shell"), f"step {title} has no shell")
        need("run" in step or PINNED.match(step["uses"]), f"step {title}: {step.get('uses')} is not pinned by a commit")
        need(not EXPRESSION.search(step.get("run", "")), f"step {title} has an expression in its script")
        for reference in re.findall(r"\binputs\.([\w-]+)", yaml.dump(step)):
            need(reference in action["inputs"], f"step {title}: there is no input {reference}")
        for reference in re.findall(r"\bsteps\.([\w-]+)\.", yaml.dump(step)):
            need(reference in known, f"step {title}: there is no step {reference} before it")
        known.add(step.get("id"))
    for name, spec in action.get("outputs", {}).items():
        need(set(re.findall(r"\bsteps\.([\w-]+)\.", spec["value"])) <= known, f"output {name}")


def evaluate(text, inputs, outputs):
    """The few expressions that we use: names, strings, ==, !=, &&, cancelled()"""
    text = text.replace("!cancelled()", "True").replace("&&", " and ")
    text = re.sub(r"\bsteps\.([\w-]+)\.outputs\.([\w-]+)", lambda m: repr(outputs.get((m[1], m[2]), "")), text)
    text = re.sub(r"\binputs\.([\w-]+)", lambda m: repr(inputs[m[1]]), text)
    return eval(text, {"__builtins__": {}})


def main(folder, *given):
    with open(os.path.join(folder, "action.yml"), encoding="utf-8") as f:
        action = yaml.safe_load(f)
    check(action)
    inputs = {name: spec.get("default", "") for name, spec in action["inputs"].items()}
    outputs, failed = {}, 0
    for pair in given:
        name, value = pair.split("=", 1)
        if "." in name:
            outputs[tuple(name.split("."))] = value
        else:
            need(name in inputs, f"there is no input {name}")
            inputs[name] = value

    def fill(text):
        return EXPRESSION.sub(lambda m: str(evaluate(m[1].strip(), inputs, outputs)), str(text))

    for step in action["runs"]["steps"]:
        condition = EXPRESSION.sub(r"\1", str(step.get("if", "True"))).strip()
        # Behind a failure only what says so is done.
        if failed and "cancelled()" not in condition or not evaluate(condition, inputs, outputs):
            continue
        if "uses" in step:
            print("uses", step["uses"].split("@")[0], {k: fill(v) for k, v in step.get("with", {}).items()}, flush=True)
            continue
        with tempfile.NamedTemporaryFile("w+") as told, tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
            script.write(step["run"])
            script.flush()
            environment = {k: fill(v) for k, v in step.get("env", {}).items()}
            environment |= {"GITHUB_OUTPUT": told.name, "GITHUB_ACTION_PATH": os.path.abspath(folder)}
            need(step["shell"] == "bash", f"shell {step['shell']}")
            failed |= subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", script.name], check=False,
                                     env=os.environ | environment, stdin=subprocess.DEVNULL).returncode
            for line in told.read().splitlines():
                name, value = line.split("=", 1)
                outputs[(step["id"], name)] = value
    for name, spec in action.get("outputs", {}).items():
        print(f"output {name}={fill(spec['value'])}")
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
