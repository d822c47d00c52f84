"""Promotion and rollback of releases.

``check`` runs the gate and changes nothing. ``promote`` takes its report and, if production is still what the
report compared with, changes aliases and record at once. ``rollback`` swaps production and the release before it.
``set_shadow`` lets a release judge beside production, unheard: no gate is asked.
"""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from facegate.errors import RegistryError
from facegate.params import Params
from facegate.registry.aliases import (
    FOLDER,
    HEAD_TAG,
    PREVIOUS,
    PRODUCTION,
    SHADOW,
    STAGING,
    Journal,
    commit,
    current_aliases,
    exclusive,
    recover,
)
from facegate.registry.facts import release_facts
from facegate.registry.gate import GateReport, judge
from facegate.registry.gate_report import log_report, report_digest
from facegate.registry.limits import gate_rules
from facegate.registry.listing import get_version
from facegate.registry.names import CANDIDATE
from facegate.registry.provenance import user_name
from facegate.registry.record import Entry, head_of, read_record
from facegate.registry.regression import no_regression
from facegate.registry.releases import fetch_release, release_name
from facegate.registry.store import Store, open_store, project_root, store_errors

Stage = Literal["staging", "production"]


@dataclass(frozen=True)
class Proposal:
    """A release that asks to be promoted, and what the gate says.

    Attributes:
        model: registered model of the releases.
        version: the release.
        digest: its digest.
        stage: where it shall go.
        expected: version that the alias named when the gate ran; None for none.
        report: the gate's report.
    """

    model: str
    version: int
    digest: str
    stage: Stage
    expected: int | None
    report: GateReport


def check(
    params: Params,
    to: Stage,
    *,
    reference: str = CANDIDATE,
    profile: str | None = None,
    root: Path | None = None,
) -> Proposal:
    """Run the gate on a release and log its report to the release's run; nothing is promoted.

    Args:
        params: all parameters; ``gates`` and ``evaluate`` are used.
        to: where the release shall go.
        reference: the release, by number or alias.
        profile: name of the gate, if not ``gates.profile``.
        root: project folder.

    Raises:
        RegistryError: there is no such release, or its files are gone or edited.
        ParamsError: there is no such gate.
    """
    rules, name = gate_rules(params.gates, profile), release_name(params.register_.prefix)
    store, folder = _opened(root)
    with exclusive(folder):
        recover(store, folder)
        aliases = current_aliases(store, name)
    version = int(get_version(store, name, reference).version)
    in_production = aliases.get(PRODUCTION)
    with tempfile.TemporaryDirectory() as scratch:
        new = Path(scratch) / "new"
        manifest = fetch_release(store, name, str(version), new, signed=False)
        old = None
        if in_production is not None:
            place = Path(scratch) / "old"
            old = (place, fetch_release(store, name, str(in_production), place, signed=False))
        facts = release_facts(new, manifest)
        sound, note = no_regression(old, (new, manifest), params.evaluate)
    facts = facts.model_copy(
        update={
            "flags": {**facts.flags, "no_regression": sound},
            "notes": {**facts.notes, "no_regression": note},
        }
    )
    findings = judge(facts, rules)
    report = GateReport(
        profile=profile or params.gates.profile,
        release=manifest.digest(),
        against=old[1].digest() if old else "",
        synthetic=manifest.synthetic_only,
        passed=not any(finding.blocking for finding in findings),
        findings=findings,
    )
    own = report.profile == params.gates.profile
    log_report(store, name, version, report, manifest, shown=own)
    return Proposal(name, version, manifest.digest(), to, aliases.get(to), report)


def promote(
    proposal: Proposal,
    *,
    reason: str = "",
    override: str = "",
    who: str | None = None,
    root: Path | None = None,
) -> Entry:
    """Carry out a proposal.

    Args:
        proposal: what :func:`check` returned.
        reason: why, for the record.
        override: why the gate is overruled, if it is; recorded for ever.
        who: name for the record; by default the login name.
        root: project folder.

    Raises:
        RegistryError: the gate was not passed and is not overruled, or the alias changed since it ran.
    """
    if not proposal.report.passed and not override.strip():
        failed = ", ".join(f.fact for f in proposal.report.findings if f.blocking)
        raise RegistryError(
            f"release {proposal.version} does not pass the gate `{proposal.report.profile}`: {failed}",
            'mend what the table names; `--override "REASON"` goes past the gate and is recorded for ever',
        )
    store, folder = _opened(root)
    with exclusive(folder):
        recover(store, folder)
        present = current_aliases(store, proposal.model)
        before = present.get(proposal.stage)
        if before != proposal.expected:
            raise RegistryError(
                f"{proposal.stage} is release {before} now; it was {proposal.expected} when the gate ran",
                "someone else promoted meanwhile: look at it, then run the promotion again",
            )
        if before == proposal.version:
            raise RegistryError(f"release {proposal.version} is in {proposal.stage} already", "nothing to do")
        entry = _entry(folder, store, proposal.model, who).model_copy(
            update={
                "action": "promote",
                "stage": proposal.stage,
                "release": proposal.version,
                "digest": proposal.digest,
                "before": before,
                "profile": proposal.report.profile,
                "passed": proposal.report.passed,
                "gate_sha256": report_digest(proposal.report),
                "override": "" if proposal.report.passed else override.strip(),
                "reason": reason,
            }
        )
        moves: dict[str, int | None] = {proposal.stage: proposal.version}
        if proposal.stage == PRODUCTION:
            moves = {PREVIOUS: before, PRODUCTION: proposal.version}
        commit(store, folder, Journal(model=proposal.model, entry=entry.sealed(), aliases=moves))
    return entry.sealed()


def rollback(params: Params, *, reason: str = "", who: str | None = None, root: Path | None = None) -> Entry:
    """Put the release before the present one back into production; a second rollback returns.

    Raises:
        RegistryError: there is none to go back to.
    """
    name = release_name(params.register_.prefix)
    store, folder = _opened(root)
    with exclusive(folder):
        recover(store, folder)
        present = current_aliases(store, name)
        target, before = present.get(PREVIOUS), present.get(PRODUCTION)
        if target is None or before is None:
            raise RegistryError(
                "there is no release to go back to", "`previous` is set by the second promotion to production"
            )
        digest = get_version(store, name, str(target)).tags["bundle.digest"]
        entry = _entry(folder, store, name, who).model_copy(
            update={
                "action": "rollback",
                "release": target,
                "digest": digest,
                "before": before,
                "reason": reason,
            }
        )
        moves: dict[str, int | None] = {PRODUCTION: target, PREVIOUS: before}
        commit(store, folder, Journal(model=name, entry=entry.sealed(), aliases=moves))
    return entry.sealed()


def set_shadow(
    params: Params,
    reference: str | None,
    *,
    reason: str = "",
    who: str | None = None,
    root: Path | None = None,
) -> Entry:
    """Let a release judge beside production; only its disagreement is counted, so no gate is asked.

    Args:
        params: all parameters.
        reference: the release, by number or alias; None takes the shadow away.
        reason: why, for the record.
        who: name for the record; by default the login name.
        root: project folder.

    Raises:
        RegistryError: there is no such release, or it is the shadow already.
    """
    name = release_name(params.register_.prefix)
    store, folder = _opened(root)
    with exclusive(folder):
        recover(store, folder)
        before = current_aliases(store, name).get(SHADOW)
        chosen = None if reference is None else get_version(store, name, reference)
        version = None if chosen is None else int(chosen.version)
        if version == before:
            word = "no release" if before is None else f"release {before}"
            raise RegistryError(f"{word} is the shadow already", "nothing to do")
        entry = _entry(folder, store, name, who).model_copy(
            update={
                "action": "shadow",
                "stage": SHADOW,
                "release": version,
                "digest": "" if chosen is None else chosen.tags["bundle.digest"],
                "before": before,
                "reason": reason,
            }
        )
        commit(store, folder, Journal(model=name, entry=entry.sealed(), aliases={SHADOW: version}))
    return entry.sealed()


def promotions_folder(root: Path | None = None) -> Path:
    """Where the record and the journal lie."""
    return (root or project_root()) / FOLDER


def _opened(root: Path | None) -> tuple[Store, Path]:
    return open_store(root), promotions_folder(root)


def _entry(folder: Path, store: Store, model: str, who: str | None) -> Entry:
    """An entry that continues the record; the rest of it is filled in by the caller.

    Raises:
        RegistryError: the record is broken, or is not the one that the registry's head belongs to.
    """
    entries = read_record(folder)
    with store_errors(store.uri):
        head = store.client.get_registered_model(model).tags.get(HEAD_TAG)
    if head is not None and head != head_of(entries):
        raise RegistryError(
            f"{folder}: the record does not end where the registry says that it does",
            "bring the newest record here (git pull, or a backup); `facegate registry verify` tells more",
        )
    return Entry(
        index=len(entries),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        who=who or user_name(),
        action="rollback",
        stage=PRODUCTION,
        release=0,
        digest="",
        before=None,
        previous_hash=head_of(entries),
    )


__all__ = [
    "PRODUCTION",
    "STAGING",
    "Proposal",
    "check",
    "promote",
    "promotions_folder",
    "rollback",
    "set_shadow",
]
