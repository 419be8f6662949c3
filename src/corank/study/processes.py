"""Processes that carry out runs: they end with the study, and at once when it is interrupted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait


@contextmanager
def processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """So many at a time; begin them `uninterrupted`, for Ctrl-C in a terminal is sent to all of them.

    When the study is interrupted, what they were doing is left where it is.
    """
    context = multiprocessing.get_context("spawn")
    stop, ours = context.Pipe(duplex=False)
    with stop, ours, ProcessPoolExecutor(jobs, context, _leave_with_the_study, (stop,)) as pool:
        try:
            yield pool
        except KeyboardInterrupt:
            with uninterrupted():
                ours.close()
                pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold an interrupt back until the end; processes that begin inside see none in all their life."""
    if sys.platform == "win32":  # has no masks
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave_with_the_study(stop: Connection) -> None:
    """In a process of the pool: end once the study's is gone or closes its end, as soon as that is so."""
    study = multiprocessing.parent_process()
    assert study is not None
    sentinel = study.sentinel

    def leave() -> None:
        wait([sentinel, stop])
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
