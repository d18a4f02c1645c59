"""The life cycle of a work, its fence, who sees it, what is due each day: in one process."""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.template import Context, Template
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from povertyaid.lib.messages import MessageError
from povertyaid.lib.progress import NO_PROGRESS, Progress, WorkCancelledError
from povertyaid.schools.models import Department, School, User
from povertyaid.work import daily, fence, processes, services
from povertyaid.work.channels import channel
from povertyaid.work.fence import WorkLostError
from povertyaid.work.models import Work, WrongWorkMoveError
from povertyaid.work.registry import JobRegisteredTwiceError, register_job
from tests import factories, personas
from tests.work import jobs

pytestmark = pytest.mark.django_db

State = Work.State
LATER = dt.timedelta(minutes=2)


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    jobs.register()
    yield
    jobs.forget()


@pytest.fixture
def queued() -> Iterator[None]:
    """Works are queued, as in production; nobody does them."""
    with override_settings(WORK_INLINE=False):
        yield


def begin(place: School, job: str = "tests.write", *, user: User | None = None, **args: Any) -> Work:
    return services.start(job=job, user=user, school=place, target=place, args=args)


def running(place: School, **columns: Any) -> Work:
    """A work that this process has begun and not ended."""
    me = processes.this_process()
    work: Work = factories.WorkFactory(
        school=place,
        state=State.RUNNING,
        what="tests.write",
        finished_at=None,
        heartbeat_at=timezone.now(),
        **{"host": me.host, "pid": me.pid, "process_start": me.start, **columns},
    )
    return work


@pytest.mark.parametrize("origin", list(State))
@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.CANCELLED, State.RUNNING])
def test_a_work_goes_only_where_its_table_leads(school: School, origin: str, state: str) -> None:
    work = running(school)
    work.state = origin
    Work.objects.filter(pk=work.pk).update(state=origin)
    allowed = state in Work.MOVES[origin]
    if state == State.RUNNING:
        assert (fence.begin(work.pk) is not None) == allowed
    elif state == State.DONE:
        with transaction.atomic():
            try:
                fence.finish(work)
                went = True
            except WorkLostError:
                went = False
        assert went == allowed
    else:
        assert fence.stop(work.pk, state) == allowed
    assert Work.objects.get(pk=work.pk).state == (state if allowed else origin)
    if not allowed:
        with pytest.raises(WrongWorkMoveError):
            work.move(state)


def test_what_is_done_here_is_kept_in_the_books(school: School, clerk: User) -> None:
    work = begin(school, user=clerk, steps=4)
    assert (work.state, work.done, work.total, work.error) == (State.DONE, 3, 4, "")
    assert work.started_at is not None
    assert work.finished_at is not None
    assert work.owner == clerk
    assert Department.objects.filter(school=school).count() == 4


def test_a_lost_work_cannot_commit(school: School) -> None:
    """The job is declared lost while it writes; all that it wrote is taken back."""

    def declared_lost_on_the_way(work: Work, progress: Progress) -> None:
        with transaction.atomic():
            Department.objects.create(county=school.county, school=school, name="教导处")
            assert fence.stop(work.pk, State.FAILED, "lost")
            work.finish_inside()

    register_job("tests.lost", declared_lost_on_the_way, label="lost")
    with pytest.raises(WorkLostError):
        services.start(job="tests.lost", user=None, school=school, target=school, inline=True)
    assert not Department.objects.filter(school=school).exists()


def test_the_process_of_another_run_cannot_finish_it(school: School) -> None:
    work = running(school, process_start="1")
    with pytest.raises(WorkLostError):
        work.finish_inside()
    assert Work.objects.get(pk=work.pk).state == State.RUNNING


def test_errors_are_told_in_words_without_values(school: School, caplog: pytest.LogCaptureFixture) -> None:
    number = factories.identity_number(dt.date(2014, 5, 6), 1)
    with caplog.at_level(logging.DEBUG):
        work = begin(school, "tests.fail")
    assert work.state == State.FAILED
    assert "ValueError" in work.error
    assert number not in work.error + caplog.text
    assert number[-6:] not in work.error + caplog.text
    assert "jobs.py" in caplog.text
    refused = begin(school, "tests.refuse")
    assert (refused.state, refused.error) == (State.FAILED, "The list has no rows.")
    told = Department.objects.filter(school=school).values_list("name", flat=True)
    assert set(told) == {f"failed{work.pk}", f"failed{refused.pk}"}


def test_inline_raises_what_the_job_raises(school: School) -> None:
    with pytest.raises(MessageError, match="no rows"):
        services.start(job="tests.refuse", user=None, school=school, inline=True)
    assert Work.objects.get().state == State.FAILED


def test_a_hook_that_fails_does_not_keep_the_work_alive(school: School) -> None:
    def broken(work: Work) -> None:
        Department.objects.create(county=school.county, school=school, name="半途")
        raise RuntimeError

    register_job("tests.hook", jobs.fail, label="hook", on_stopped=broken)
    assert begin(school, "tests.hook").state == State.FAILED
    assert not Department.objects.filter(school=school).exists()


def test_a_closed_account_and_an_unknown_job_start_nothing(school: School, clerk: User) -> None:
    clerk.is_active = False
    clerk.save()
    assert begin(school, user=clerk).state == State.FAILED
    assert not Department.objects.filter(school=school, name__startswith="第").exists()
    with pytest.raises(LookupError):
        begin(school, "tests.unheard")
    work = factories.WorkFactory(school=school, what="tests.gone", state=State.WAITING, finished_at=None)
    assert str(work.label) == "tests.gone"
    fence.begin(work.pk)


def test_a_key_belongs_to_one_function() -> None:
    with pytest.raises(JobRegisteredTwiceError):
        register_job("tests.write", jobs.fail, label="write")
    register_job("tests.write", jobs.write_departments, label="write", on_stopped=jobs.remember_stop)


def test_one_work_at_a_time_with_a_record(queued: None, school: School, rival_school: School) -> None:
    first = begin(school)
    assert begin(school) == first
    with pytest.raises(services.WorkBusyError):
        begin(school, "tests.refuse")
    with pytest.raises(services.WorkBusyError):
        services.start(job="tests.write", user=None, school=school, target=school, inline=True)
    assert begin(rival_school) != first
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.WorkFactory(
            school=school, state=State.WAITING, target_model="schools.school", target_id=school.pk
        )
    services.request_cancel(first)
    second = begin(school)
    assert second != first
    assert services.latest_for(school) == second


def test_a_work_that_waits_is_cancelled_at_once(queued: None, school: School) -> None:
    work = begin(school)
    services.request_cancel(work)
    assert services.status(work).state == State.CANCELLED
    assert Department.objects.get(school=school).name == f"cancelled{work.pk}"
    assert fence.begin(work.pk) is None


def test_a_running_work_stops_at_its_next_word(school: School) -> None:
    told: list[int] = []

    def slow(work: Work, progress: Progress) -> None:
        with transaction.atomic():
            Department.objects.create(county=school.county, school=school, name="教导处")
            services.request_cancel(work)
            until = timezone.now() + dt.timedelta(seconds=20)
            while timezone.now() < until:
                told.append(1)
                progress.tell("writing", 1, 2)

    register_job("tests.slow", slow, label="slow")
    work = services.start(job="tests.slow", user=None, school=school)
    assert told
    assert work.state == State.CANCELLED
    assert not Department.objects.filter(school=school).exists()


@pytest.mark.parametrize(
    ("columns", "silent", "lost"),
    [
        ({}, LATER, False),  # this very process, busy in one long statement
        ({}, dt.timedelta(hours=2), True),  # it lives and does something else by now
        ({"process_start": "1"}, dt.timedelta(0), True),  # the number was given to another process
        ({"pid": 2**22 + 1}, dt.timedelta(0), True),  # no such process
        ({"host": "elsewhere"}, dt.timedelta(seconds=5), False),
        ({"host": "elsewhere"}, LATER, True),
    ],
)
def test_who_counts_as_lost(
    school: School, columns: dict[str, Any], silent: dt.timedelta, lost: bool
) -> None:
    work = running(school, **columns)
    Work.objects.filter(pk=work.pk).update(heartbeat_at=timezone.now() - silent)
    assert services.reap() == int(lost)
    status = services.status(work)
    assert status.state == (State.FAILED if lost else State.RUNNING)
    assert bool(status.error) == lost
    assert Department.objects.filter(school=school).count() == int(lost)
    assert services.reap() == 0


def test_the_page_that_asks_finds_a_lost_work_too(school: School) -> None:
    work = running(school, pid=2**22 + 1)
    assert services.status(work).finished
    again = running(school, target_model="schools.school", target_id=school.pk, process_start="1")
    assert begin(school).state == State.DONE
    again.refresh_from_db()
    assert again.state == State.FAILED


def test_an_idle_worker_runs_nothing(school: School) -> None:
    mine, other = running(school), running(school, host="elsewhere")
    assert services.reap_mine() == 1
    assert services.status(mine).state == State.FAILED
    assert services.status(other).state == State.RUNNING


def test_what_waits_without_a_place_in_the_queue_is_queued_again(queued: None, school: School) -> None:
    work = begin(school)
    assert services.reap() == 0
    long_ago = timezone.now() - LATER
    Work.objects.filter(pk=work.pk).update(queued_at=long_ago)
    assert services.reap() == 0  # it waits its turn
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=timezone.now())
    assert services.reap() == 0  # a worker has it in its hands
    DBTaskResult.objects.update(started_at=long_ago)
    assert services.reap() == 1
    assert DBTaskResult.objects.ready().count() == 1
    Work.objects.filter(pk=work.pk).update(queued_at=long_ago)
    DBTaskResult.objects.all().delete()
    assert services.reap() == 1
    assert DBTaskResult.objects.ready().count() == 1


def test_processes_are_known_by_number_and_start() -> None:
    me = processes.this_process()
    assert me.pid == os.getpid()
    assert processes.is_alive(me) is True
    assert processes.is_alive(processes.ProcessId(me.host, me.pid, "1")) is False
    assert processes.is_alive(processes.ProcessId("elsewhere", me.pid, me.start)) is None
    assert processes.is_alive(processes.ProcessId(me.host, me.pid, "")) is None


def test_signs_of_life_are_cleared_away(school: School) -> None:
    work = running(school)
    channel().beat(work, phase="reading", done=3, total=12, write=True)
    channel().ask_to_stop(work)
    work.refresh_from_db()
    signs = channel().read(work)
    assert (signs.phase, signs.done, signs.total, signs.cancel_requested) == ("reading", 3, 12, True)
    status = services.status(work)
    assert (status.percent, status.cancel_requested) == (25, True)
    channel().clear(work)
    assert channel().read(work).at is not None  # what the row says


def test_nobody_listening_is_no_trouble() -> None:
    NO_PROGRESS.tell("reading", 1, 2)
    assert issubclass(WorkCancelledError, Exception)


def test_pages_of_a_work(
    queued: None, school: School, clerk: User, client_of: Callable[[User], Client], rival_clerk: User
) -> None:
    work = begin(school, user=clerk)
    client = client_of(clerk)
    url = reverse("work:status", args=[work.pk])
    answer = client.get(url).json()
    assert (answer["state"], answer["finished"], answer["percent"]) == ("waiting", False, None)
    Work.objects.filter(pk=work.pk).update(created_at=timezone.now() - LATER)
    assert client.get(url).json()["text"] != answer["text"]
    assert client_of(rival_clerk).get(url).status_code == 404
    assert Client().get(url).status_code == 302
    cancel = reverse("work:cancel", args=[work.pk])
    assert client_of(rival_clerk).post(cancel).status_code == 404
    response = client.post(cancel, {"next": "https://elsewhere.example/"})
    assert response.headers["Location"] == reverse("admin:index")
    answer = client.get(url).json()
    assert (answer["state"], answer["finished"]) == ("cancelled", True)
    response = client.post(cancel, {"next": reverse("admin:work_work_changelist")})
    assert response.headers["Location"] == reverse("admin:work_work_changelist")


def test_a_teacher_sees_and_stops_only_what_is_her_own(  # noqa: PLR0917 - fixtures are asked for by name
    queued: None,
    school: School,
    class_teacher: User,
    clerk: User,
    client_of: Callable[[User], Client],
    teaching_point: School,
) -> None:
    own, other = begin(school, user=class_teacher), begin(teaching_point, user=clerk)
    client = client_of(personas.as_new(class_teacher))
    assert client.get(reverse("work:status", args=[own.pk])).status_code == 200
    assert client.get(reverse("work:status", args=[other.pk])).status_code == 404
    assert client.post(reverse("work:cancel", args=[own.pk])).status_code == 302
    assert services.status(own).state == State.CANCELLED


def test_the_bar_stands_on_any_page(queued: None, school: School, clerk: User) -> None:
    page = Template("{% load work %}{% work_head work %}{% work_progress work %}")
    request = RequestFactory().get("/import/1/?p=2")
    request.user = clerk
    work = begin(school, user=clerk)

    def shown(found: Work | None) -> str:
        return str(page.render(Context({"work": found, "request": request, "csrf_token": "token"}))).strip()

    html = shown(work)
    assert reverse("work:status", args=[work.pk]) in html
    assert reverse("work:cancel", args=[work.pk]) in html
    assert 'value="/import/1/?p=2"' in html
    assert 'http-equiv="refresh"' in html
    assert "work/progress.js" in html
    services.request_cancel(work)
    work.refresh_from_db()
    assert shown(work) == shown(None) == ""


def test_what_is_due_each_day_is_done_once(
    queued: None, school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    live = begin(school)
    old = factories.WorkFactory(school=school, finished_at=timezone.now() - dt.timedelta(days=91))
    recent = factories.WorkFactory(school=school, finished_at=timezone.now() - dt.timedelta(days=89))
    gone = DBTaskResult.objects.create(
        status=TaskResultStatus.RUNNING, args_kwargs={}, task_path="x", backend_name="default"
    )
    DBTaskResult.objects.filter(pk=gone.pk).update(enqueued_at=timezone.now() - dt.timedelta(days=91))
    with override_settings(LANGUAGE_CODE="en"):
        call_command("daily")
    first = capsys.readouterr().out
    assert "work.prune: " in first
    assert set(Work.objects.values_list("pk", flat=True)) == {live.pk, recent.pk}
    assert old.pk not in {live.pk, recent.pk}
    assert DBTaskResult.objects.count() == 1
    call_command("daily")
    assert capsys.readouterr().out != first
    assert Work.objects.count() == 2


def test_a_daily_job_that_fails_leaves_the_others_alone(
    school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> str:
        Department.objects.create(county=school.county, school=school, name="半途")
        raise RuntimeError("13812345678")

    daily.register_daily("a.broken", broken)
    try:
        with pytest.raises(CommandError, match=r"a\.broken"):
            call_command("daily")
        with pytest.raises(daily.DailyRegisteredTwiceError):
            daily.register_daily("a.broken", lambda: "")
    finally:
        daily.forget_daily("a.broken")
    told = capsys.readouterr()
    assert "work.prune" in told.out
    assert "13812345678" not in told.out + told.err
    assert not Department.objects.filter(school=school).exists()
