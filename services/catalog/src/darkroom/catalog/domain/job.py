"""What the catalog asks of the processor for an image."""

from darkroom.catalog.domain.image import Image
from darkroom.contracts.jobs import JobKind, JobRequestedV1, Lane, WantedRendition
from darkroom.contracts.recipes import develop_recipes


def develop_job(image: Image) -> JobRequestedV1:
    """Keys are named by image and recipe, so a repeated job overwrites the same objects.

    `occurred_at` is the image's `enqueued_at`: the sweep tells by it which jobs a lane has passed.
    """
    return JobRequestedV1(
        occurred_at=image.enqueued_at,
        job_id=image.job_id,
        kind=JobKind.DEVELOP,
        lane=Lane.BULK,
        attempt=image.attempt,
        image_id=image.id,
        account_id=image.owner.account_id,
        source_key=image.original.key,
        source_format=image.original.format,
        source_sha256=image.original.sha256,
        renditions=tuple(
            WantedRendition(
                name=name, recipe=recipe, key_stem=f"renditions/{image.id}/{recipe.digest()}"
            )
            for name, recipe in develop_recipes(image.preset).items()
        ),
    )
