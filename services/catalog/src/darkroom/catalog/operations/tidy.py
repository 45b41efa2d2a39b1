"""Keeping house: abandoned staging objects, old inbox rows, and a comparison of both stores.

Originals and renditions are never deleted here; what does not agree is reported to people.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from darkroom.catalog.domain.reconcile import Report, SeenKeys
from darkroom.catalog.operations.metrics import RECONCILE_FINDINGS, STAGING_REMOVED
from darkroom.catalog.store.keys import find_known_keys, list_keys
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.messaging.inbox import prune
from darkroom.platform.storage.blobs import BlobStore, Listed
from darkroom.platform.telemetry.logs import get_logger

STAGING_PREFIX: Final = "staging/"
KEPT_PREFIXES: Final = ("originals/", "renditions/")
# An upload ends within minutes; a day leaves room for the slowest, and for somebody to look.
STAGING_LIFETIME: Final = timedelta(hours=24)
# The bytes come before the row, and a job's renditions before its result: neither is a finding.
GRACE: Final = timedelta(hours=24)
# The broker keeps events for seven days; a day more covers every clock.
INBOX_LIFETIME: Final = timedelta(days=8)
BATCH: Final = 1_000
_FIRST_ID: Final = UUID(int=0)

log = get_logger()


async def remove_abandoned(blobs: BlobStore, *, now: datetime) -> int:
    """Delete staging objects that no upload can be using any more."""
    removed = 0
    async for listed in blobs.list(STAGING_PREFIX):
        if now - listed.modified_at >= STAGING_LIFETIME:
            await blobs.delete(listed.key)
            removed += 1
    if removed:
        STAGING_REMOVED.inc(removed)
        log.info("staging_removed", objects=removed)
    return removed


async def prune_inbox(sessions: SessionFactory) -> int:
    async with transaction(sessions) as session:
        return await prune(session, INBOX_LIFETIME)


async def reconcile(sessions: SessionFactory, blobs: BlobStore, *, now: datetime) -> Report:
    """Compare every stored object with its row and every row with its objects."""
    report = Report(started_at=now)
    seen = await _find_orphans(sessions, blobs, report)
    await _find_missing(sessions, blobs, report, seen)
    RECONCILE_FINDINGS.labels("orphans").set(report.orphans.count)
    RECONCILE_FINDINGS.labels("missing").set(report.missing.count)
    log.info(
        "stores_reconciled",
        objects=report.objects,
        rows=report.rows,
        orphans=report.orphans.count,
        missing=report.missing.count,
    )
    return report


async def _find_orphans(sessions: SessionFactory, blobs: BlobStore, report: Report) -> SeenKeys:
    seen = SeenKeys()
    batch: list[Listed] = []
    for prefix in KEPT_PREFIXES:
        async for listed in blobs.list(prefix):
            seen.add(listed.key)
            batch.append(listed)
            if len(batch) == BATCH:
                await _note_orphans(sessions, report, batch)
                batch.clear()
    await _note_orphans(sessions, report, batch)
    seen.seal()
    report.objects = len(seen)
    return seen


async def _note_orphans(sessions: SessionFactory, report: Report, batch: list[Listed]) -> None:
    old = [entry.key for entry in batch if report.started_at - entry.modified_at >= GRACE]
    if not old:
        return
    async with transaction(sessions) as session:
        known = await find_known_keys(session, old)
    for key in old:
        if key not in known:
            report.orphans.note(key)


async def _find_missing(
    sessions: SessionFactory, blobs: BlobStore, report: Report, seen: SeenKeys
) -> None:
    after = _FIRST_ID
    made_before = report.started_at - GRACE
    while True:
        async with transaction(sessions) as session:
            rows = await list_keys(session, after=after, made_before=made_before, limit=BATCH)
        if not rows:
            return
        report.rows += len(rows)
        for _, key in rows:
            # Listings lag behind in some stores: what they left out is asked for by name.
            if key not in seen and await blobs.head(key) is None:
                report.missing.note(key)
        after = max(image_id for image_id, _ in rows)
