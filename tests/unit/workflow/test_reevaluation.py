"""Snakemake's scheduler has at most one evaluation pending, and none is lost."""

from threading import Semaphore
from types import SimpleNamespace

from snakemake.scheduling.job_scheduler import JobScheduler

from scripts.workflow.reevaluation import OneTimer, wait_for_one_evaluation


def test_many_requests_before_a_timer_ends_start_one_evaluation():
    scheduler, later = SimpleNamespace(_open_jobs=Semaphore(0)), OneTimer()
    for _ in range(20):
        later(scheduler, 0.05)
    assert scheduler._open_jobs.acquire(timeout=5)
    assert not scheduler._open_jobs.acquire(timeout=0.3)


def test_a_request_after_an_evaluation_starts_another():
    scheduler, later = SimpleNamespace(_open_jobs=Semaphore(0)), OneTimer()
    for _ in range(3):
        later(scheduler, 0.01)
        assert scheduler._open_jobs.acquire(timeout=5)


def test_the_method_of_this_version_of_snakemake_is_replaced(monkeypatch):
    monkeypatch.setattr(JobScheduler, "_schedule_reevalutation", JobScheduler._schedule_reevalutation)
    before = JobScheduler._schedule_reevalutation
    wait_for_one_evaluation()
    assert JobScheduler._schedule_reevalutation is not before
    scheduler = SimpleNamespace(_open_jobs=Semaphore(0))
    JobScheduler._schedule_reevalutation(scheduler, 0.01)
    assert scheduler._open_jobs.acquire(timeout=5)
