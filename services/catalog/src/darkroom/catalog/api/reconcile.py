"""Operators: what the last comparison of bucket and database found."""

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from starlette.responses import JSONResponse, Response

from darkroom.catalog.wiring import Wired
from darkroom.platform.errors import NotFound

router = APIRouter(include_in_schema=False)


@router.get("/-/reconcile")
async def read_report(wired: Wired) -> Response:
    """Return the last report of this process; 404 until it has made one."""
    report = wired.latest_report.report
    if report is None:
        raise NotFound("The stores have not been compared by this process yet.")
    return JSONResponse(jsonable_encoder(asdict(report)))
