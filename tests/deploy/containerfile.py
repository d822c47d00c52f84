"""A small linter of container files: the rules of hadolint that matter here, named as hadolint names them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    """One ``FROM`` and what follows it."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, instruction: str) -> str | None:
        return next((value for word, value in reversed(self.steps) if word == instruction), None)


def parse(text: str) -> list[Stage]:
    """Stages of a container file; continued lines are joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", lines).splitlines():
        word, _, value = line.strip().partition(" ")
        if word.upper() == "FROM":
            image, _, name = value.partition(" AS ")
            stages.append(Stage(image, name.strip()))
        elif word and stages:
            stages[-1].steps.append((word.upper(), value.strip()))
    return stages


def lint(text: str) -> set[str]:
    """Names of the rules that are broken."""
    stages: dict[str, Stage] = {}
    broken: set[str] = set()
    for stage in parse(text):
        base = stages.get(stage.image)
        broken |= set(_stage(stage, base))
        inherited = [step for step in base.steps if step[0] == "ENV"] if base else []
        stages[stage.name] = Stage(stage.image, stage.name, [*inherited, *stage.steps])
    return broken


def final(text: str) -> dict[str, Stage]:
    """Stages that nothing builds upon: these are shipped."""
    stages = parse(text)
    used = {stage.image for stage in stages}
    used |= {
        name for stage in stages for _, value in stage.steps for name in re.findall(r"--from=(\S+)", value)
    }
    return {stage.name: stage for stage in stages if stage.name not in used}


def _stage(stage: Stage, base: Stage | None) -> Iterator[str]:
    if base is None and not re.search(r":(?!latest)[\w.-]+$|@sha256:", stage.image):
        yield "DL3007"  # a base without a tag, or the latest one
    if not stage.name:
        yield "unnamed"
    quiet = base is not None and any(
        "PIP_NO_CACHE_DIR=1" in value for word, value in base.steps if word == "ENV"
    )
    for word, value in stage.steps:
        quiet = quiet or (word == "ENV" and "PIP_NO_CACHE_DIR=1" in value)
        yield from _step(word, value, quiet)


def _step(word: str, value: str, quiet: bool) -> Iterator[str]:
    if word == "ADD":
        yield "DL3020"
    if word in ("CMD", "ENTRYPOINT") and not _is_list(value):
        yield "DL3025"
    if word == "USER" and value.split(":")[0] in ("root", "0"):
        yield "DL3002"
    if word == "WORKDIR" and not value.startswith("/"):
        yield "DL3000"
    if word in ("ENV", "ARG") and re.search(r"(?i)(password|secret|token|_key)\w*=\S", value):
        yield "secret"
    if word == "RUN":
        yield from _run(value, quiet)


def _run(value: str, quiet: bool) -> Iterator[str]:
    if re.search(r"(^|&&|;)\s*cd ", value):
        yield "DL3003"
    if re.search(r"\bsudo\b", value):
        yield "DL3004"
    if re.search(r"pip install", value) and not quiet and "--no-cache-dir" not in value:
        yield "DL3042"
    if "pip install" in value and not re.search(r"--constraint|-c |--requirement|-r |==", value):
        yield "DL3013"  # what is installed is not pinned
    if "apt-get install" in value:
        yield from (rule for rule, wanted in APT.items() if wanted not in value)
    if "|" in value.replace("||", "") and "pipefail" not in value:
        yield "DL4006"


APT = {"DL3009": "rm -rf /var/lib/apt/lists", "DL3014": " -y", "DL3015": "--no-install-recommends"}


def _is_list(value: str) -> bool:
    try:
        return isinstance(json.loads(value), list)
    except ValueError:
        return False


def copied(stage: Stage) -> list[str]:
    """What a stage takes from the project's folder."""
    return [
        name
        for word, value in stage.steps
        if word == "COPY" and "--from=" not in value
        for name in value.split()[:-1]
    ]


def allowed(ignore: Path) -> set[str]:
    """What an ignore file that begins with ``*`` lets through."""
    lines = ignore.read_text().split()
    assert lines[0] == "*"
    return {line.removeprefix("!") for line in lines if line.startswith("!")}
