"""A real browser for tests of pages: the system's Chromium, headless."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")


@contextmanager
def browser() -> Iterator[Browser]:
    """Tests are skipped where there is none (`make browser` installs one)."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine; run 'make browser'")
    # A browser cannot put up its own fence for the superuser.
    fence = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=[*QUIET, *fence])
        try:
            yield started
        finally:
            started.close()


@contextmanager
def browser_page(width: int = 1280, height: int = 900) -> Iterator[Page]:
    """An empty page, without a network."""
    with browser() as started:
        context = started.new_context(viewport={"width": width, "height": height}, offline=True)
        yield context.new_page()
