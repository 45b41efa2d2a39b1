from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product

import pytest

from darkroom.catalog.domain.errors import RenditionsIncompleteError
from darkroom.catalog.domain.image import TRANSITIONS, Command, Failure, Image
from darkroom.catalog.domain.job import develop_job
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import ImageStatus, RenditionName
from darkroom.contracts.jobs import JobCompletedV1
from darkroom.contracts.problems import ProblemCode
from darkroom.platform.errors import Broken

MakeImage = Callable[..., Image]
Completed = Callable[..., JobCompletedV1]
FAILURE = Failure(ProblemCode.IMAGE_CORRUPT, "It is damaged.")
LATER = timedelta(minutes=1)


def move(image: Image, command: Command, completed: Completed, now: datetime) -> Image:
    moves = {
        Command.START: lambda: image.start(now=now),
        Command.REQUEUE: lambda: image.requeue(now=now),
        Command.COMPLETE: lambda: image.complete(completed(image), now=now),
        Command.FAIL: lambda: image.fail(FAILURE, now=now),
        Command.EXPIRE: lambda: image.expire(now=now),
    }
    return moves[command]()


@pytest.mark.parametrize(("status", "command"), list(product(ImageStatus, Command)))
def test_every_pair_of_status_and_command_moves_by_the_table_or_not_at_all(
    status: ImageStatus,
    command: Command,
    make_image: MakeImage,
    completed: Completed,
    now: datetime,
) -> None:
    image = make_image(status=status)
    wanted = TRANSITIONS.get((status, command))
    assert image.may(command, job_id=image.job_id, attempt=1) is (wanted is not None)
    if wanted is None:
        with pytest.raises(Broken):
            move(image, command, completed, now)
    else:
        assert move(image, command, completed, now).status is wanted


def test_the_table_never_leads_back() -> None:
    order = [ImageStatus.QUEUED, ImageStatus.PROCESSING, ImageStatus.READY]
    for (before, _), after in TRANSITIONS.items():
        assert after is ImageStatus.FAILED or order.index(after) >= order.index(before)
        assert not before.is_terminal


def test_every_unfinished_status_can_end() -> None:
    for status in (ImageStatus.QUEUED, ImageStatus.PROCESSING):
        ends = {TRANSITIONS[status, Command.COMPLETE], TRANSITIONS[status, Command.EXPIRE]}
        assert ends == {ImageStatus.READY, ImageStatus.FAILED}


@pytest.mark.parametrize("command", [Command.START, Command.COMPLETE, Command.FAIL])
def test_what_is_said_of_another_job_may_not_move_the_image(
    command: Command, make_image: MakeImage
) -> None:
    image = make_image(attempt=3)
    assert image.may(command, job_id=image.job_id, attempt=3)
    assert image.may(command, job_id=image.job_id, attempt=4)
    assert not image.may(command, job_id=new_id(), attempt=3)


@pytest.mark.parametrize(
    ("command", "status", "may"),
    [
        (Command.START, ImageStatus.PROCESSING, False),
        (Command.FAIL, ImageStatus.PROCESSING, False),
        (Command.COMPLETE, ImageStatus.QUEUED, True),
        (Command.COMPLETE, ImageStatus.PROCESSING, True),
        (Command.COMPLETE, ImageStatus.READY, False),
        (Command.COMPLETE, ImageStatus.FAILED, False),
    ],
)
def test_an_older_attempt_may_complete_an_unfinished_image_and_nothing_else(
    command: Command, status: ImageStatus, may: bool, make_image: MakeImage
) -> None:
    image = make_image(attempt=3, status=status)
    assert image.may(command, job_id=image.job_id, attempt=2) is may


def test_completion_without_a_wanted_rendition_is_our_fault(
    make_image: MakeImage, completed: Completed, now: datetime
) -> None:
    image = make_image()
    whole = completed(image)
    partial = completed(image, renditions=whole.renditions[:1])
    with pytest.raises(RenditionsIncompleteError):
        image.complete(partial, now=now)
    assert image.complete(whole, now=now).rendition(RenditionName.THUMBNAIL) is not None


def test_version_counts_what_a_client_can_see(
    make_image: MakeImage, completed: Completed, now: datetime
) -> None:
    image = make_image()
    started = image.start(now=now)
    assert started.version == 2
    assert started.start(now=now + LATER).version == 2
    assert started.requeue(now=now).version == 2
    assert started.complete(completed(started), now=now).version == 3


def test_a_job_asked_for_again_keeps_its_id_and_counts_its_attempt(
    make_image: MakeImage, now: datetime
) -> None:
    image = make_image(status=ImageStatus.PROCESSING)
    again = image.requeue(now=now + LATER)
    first, second = develop_job(image), develop_job(again)
    assert (first.job_id, first.attempt) == (second.job_id, second.attempt - 1)
    assert second.occurred_at == now + LATER
    assert first.event_id != second.event_id
    assert first.renditions == second.renditions


def test_rendition_keys_are_named_by_image_and_recipe(make_image: MakeImage) -> None:
    image = make_image()
    stems = {wanted.key_stem for wanted in develop_job(image).renditions}
    digests = {wanted.recipe.digest() for wanted in develop_job(image).renditions}
    assert stems == {f"renditions/{image.id}/{digest}" for digest in digests}
    assert len(stems) == 2
