"""What the catalog counts, beyond what every service does."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

IMAGES_REGISTERED: Final = Counter(
    "darkroom_catalog_images_registered", "Uploads that became images.", ("surface",)
)
IMAGES_FINISHED: Final = Counter(
    "darkroom_catalog_images_finished", "Images that became ready or failed.", ("status", "code")
)
# From an idle machine's best to the deadline of a day.
IMAGE_SECONDS: Final = Histogram(
    "darkroom_catalog_image_seconds",
    "From registration to ready or failed.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600, 86_400),
)
RESULTS_IGNORED: Final = Counter(
    "darkroom_catalog_results_ignored", "Job results that came too late or for nothing.", ("fact",)
)
OVERDUE: Final = Counter(
    "darkroom_catalog_overdue_images", "Images past their deadline, by what was done.", ("remedy",)
)
STAGING_REMOVED: Final = Counter(
    "darkroom_catalog_staging_removed", "Abandoned staging objects that were deleted."
)
RECONCILE_FINDINGS: Final = Gauge(
    "darkroom_catalog_reconcile_findings", "What the last comparison found.", ("kind",)
)
