"""CORS: credentials travel in headers a page must set itself, so every origin may ask."""

from typing import Final

ALLOWED_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ALLOWED_HEADERS: Final = (
    "Authorization",
    "X-API-Key",
    "Content-Type",
    "X-Album-Password",
    "apikey",
    "x-client-info",
    "x-supabase-api-version",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Range",
    "X-On-Duplicate",
    "X-Request-Id",
    "traceparent",
    "tracestate",
)
EXPOSED_HEADERS: Final = (
    "X-Request-Id",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Image-Processing-Usage",
    "Idempotency-Replayed",
    "ETag",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "Accept-Ranges",
    "Location",
    "Allow",
)

# On every reply.
REPLY_HEADERS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
)
# Beside those, on the answer to OPTIONS.
PREFLIGHT_HEADERS: Final = (
    (b"access-control-allow-methods", ", ".join(ALLOWED_METHODS).encode()),
    (b"access-control-allow-headers", ", ".join(ALLOWED_HEADERS).encode()),
    # Two hours is the longest any browser remembers.
    (b"access-control-max-age", b"7200"),
)
