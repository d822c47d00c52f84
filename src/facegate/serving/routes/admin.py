"""Keys, the log of decisions, the models, and whose key this is."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from facegate.contracts import Task
from facegate.runtime.policy import choose_policy
from facegate.serving.problems import documented
from facegate.serving.releases import ON_TRIAL, Release
from facegate.serving.routes import Admin, Kiosk, Operator, ServiceHere
from facegate.serving.schemas.records import (
    ComponentOut,
    JournalAnswer,
    KeyMade,
    KeyNew,
    KeyOut,
    Me,
    ModelsAnswer,
    ReleaseOut,
)
from facegate.serving.served import Served
from facegate.serving.store.journal import JournalError
from facegate.serving.store.keys import ApiKey

router = APIRouter(prefix="/v1", tags=["administration"], responses=documented(401, 403, 422, 429, 503))


@router.get("/me")
def me(principal: Kiosk) -> Me:
    """Say whose key this is."""
    return Me(id=principal.id, name=principal.name, role=principal.role)


@router.get("/models")
def models(service: ServiceHere, _: Operator) -> ModelsAnswer:
    """Show what is in production, under which contract, and what the gate said."""
    production, shadow = service.production.current, service.production.shadow
    return ModelsAnswer(
        source=service.settings.source,
        warning="" if production.release.production else ON_TRIAL,
        production=_release(production),
        shadow=_release(shadow) if shadow else None,
        last_error=service.production.problem,
    )


@router.get("/keys")
def list_keys(service: ServiceHere, _: Admin) -> list[KeyOut]:
    """Show all keys, without their secrets."""
    return [KeyOut(**_key(key)) for key in service.keys.all()]


@router.post("/keys", status_code=201)
def make_key(service: ServiceHere, principal: Admin, wanted: KeyNew) -> KeyMade:
    """Make a key; its secret is shown this once."""
    made = service.keys.create(wanted.role, wanted.name)
    details = {"made": made.key.id, "role": wanted.role.value, "key": principal.id}
    service.journal.append("create_key", details)
    return KeyMade(**_key(made.key), key=made.secret)


@router.delete("/keys/{id}", status_code=204, responses=documented(404))
def revoke_key(
    service: ServiceHere, principal: Admin, id: Annotated[str, Path(pattern=r"^[0-9a-f]{1,16}$")]
) -> Response:
    """Make a key void; it dies everywhere within seconds."""
    service.keys.revoke(id)
    service.ring.forget()
    service.journal.append("revoke_key", {"revoked": id, "key": principal.id})
    return Response(status_code=204)


@router.get("/journal")
def journal(service: ServiceHere, _: Admin) -> JournalAnswer:
    """Check the hash chain of the log of decisions."""
    try:
        found = service.journal.verify()
    except JournalError as error:
        return JournalAnswer(entries=0, sound=False, problems=(error.problem,))
    return JournalAnswer(entries=found.entries, sound=True, problems=())


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.label,
        "role": key.role,
        "created": key.created_at,
        "revoked": key.revoked_at is not None,
    }


def _release(served: Served) -> ReleaseOut:
    release = served.release
    return ReleaseOut(
        release=release.name,
        digest=release.digest,
        production=release.production,
        synthetic=release.synthetic,
        loaded=served.loaded,
        components=tuple(_component(release, task) for task in release.bundles),
        gate=release.gate,
    )


def _component(release: Release, task: Task) -> ComponentOut:
    bundle = release.bundles[task]
    contract = bundle.contract
    named = release.points.get(task)
    policy = choose_policy(contract, named) if contract.operating_points else None
    return ComponentOut(
        task=task.value,
        name=contract.name,
        version=release.versions.get(task),
        target=contract.quantisation.target,
        contract_digest=bundle.digest,
        model_sha256=contract.model_sha256,
        operating_point=policy.name if policy else "",
        threshold=policy.point.threshold if policy else 0.0,
        synthetic=contract.synthetic_only,
        contract=contract.model_dump(mode="json"),
    )
