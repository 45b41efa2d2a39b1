"""The defaults every service app starts from."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from darkroom.platform.http import problems
from darkroom.platform.http.edge import RequestEdge
from darkroom.platform.http.health import Readiness

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_service(
    name: str, *, readiness: Readiness, lifespan: Lifespan, docs: bool = False
) -> FastAPI:
    """Make an app with our errors, request ids, telemetry and `/-/` endpoints, and no routes yet.

    Trailing slashes are the gateway's to remove; an inner service never redirects.
    """
    app = FastAPI(
        title=f"Darkroom {name}",
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url="/-/openapi.json" if docs else None,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(RequestEdge)
    app.include_router(health_router(readiness))
    return app


def health_router(readiness: Readiness) -> APIRouter:
    """Make the routes that probes and scrapers use; they exist on service ports only."""
    router = APIRouter(prefix="/-", include_in_schema=False)

    @router.get("/live")
    async def live() -> Response:
        """Answer while the process can answer at all; asks no dependency."""
        return JSONResponse({"status": "ok"})

    @router.get("/ready")
    async def ready() -> Response:
        """Answer 200 while every dependency is there, else 503 naming those that are not."""
        report = await readiness.report()
        is_ready = all(state == "ok" for state in report.values())
        status = "ok" if is_ready else "degraded"
        return JSONResponse(
            {"status": status, "components": report}, status_code=200 if is_ready else 503
        )

    @router.get("/metrics")
    async def metrics() -> Response:
        """Give the process's metrics in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
