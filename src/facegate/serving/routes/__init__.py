"""The routes of the service, a file for each thing that is asked about."""

from typing import Annotated

from fastapi import Depends, Request

from facegate.serving.security import Principal, require
from facegate.serving.service import Service
from facegate.serving.store.keys import Role


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    return request.app.state.service


ServiceHere = Annotated[Service, Depends(service_of)]
Kiosk = Annotated[Principal, Depends(require(Role.KIOSK))]
Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]
Admin = Annotated[Principal, Depends(require(Role.ADMIN))]
