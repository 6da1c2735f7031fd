"""Fixtures of the browser tests: a run with hostile texts, its explorer, and a headless Chromium."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium import webdriver

ROOT = Path(__file__).resolve().parents[2]
# The project's own Python, which has what writes results; that of these tests has the explorer only.
PYTHON = ROOT / ".venv" / "bin" / "python"
WRITE = """
import sys
from pathlib import Path
from tests.support.database_results import write_database, write_results
write_results(Path(sys.argv[1]))
write_database(Path(sys.argv[1]))
"""
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)
HEIGHT = 768
# A page that takes longer has failed.
PAGE_SECONDS = 60


class Browser:
    """A Chromium without a window, and pictures of what it shows."""

    def __init__(self, driver: "webdriver.Chrome", pictures: Path) -> None:
        self.driver, self.pictures = driver, pictures

    def open(self, address: str, width: int, picture: str = "") -> None:
        """Open a page in a window of so many pixels, and save a picture of it."""
        self.driver.set_window_size(width, HEIGHT)
        self.driver.get(address)
        if picture:
            self.driver.save_screenshot(str(self.pictures / f"{picture}-{width}.png"))

    def follow(self, action: Callable[[], None]) -> None:
        """Do what leads to another page, and wait until that page is there: `submit` returns before it is."""
        from selenium.webdriver.support import expected_conditions
        from selenium.webdriver.support.wait import WebDriverWait

        page = self.driver.find_element("tag name", "html")
        action()
        wait = WebDriverWait(self.driver, PAGE_SECONDS)
        wait.until(expected_conditions.staleness_of(page))
        wait.until(lambda driver: driver.execute_script("return document.readyState") == "complete")

    def run(self, script: str) -> object:
        """The value that a script returns."""
        return self.driver.execute_script(script)

    @property
    def text(self) -> str:
        """All text of the page as it is displayed."""
        return str(self.run("return document.body.innerText"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser; its pictures are in the folder SCREENSHOTS."""
    # Late, because only the environment of these tests has Selenium, and all tests are collected.
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    pictures = Path(os.environ.get("SCREENSHOTS", ROOT / "screenshots"))
    pictures.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for option in OPTIONS:
        options.add_argument(option)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(PAGE_SECONDS)
    yield Browser(driver, pictures)
    driver.quit()


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with hostile texts, and their database."""
    folder = tmp_path_factory.mktemp("results")
    subprocess.run([PYTHON, "-c", WRITE, folder], cwd=ROOT, check=True, timeout=120)
    return folder


def free_port() -> int:
    """A port that no program uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=10).close()
            return
        except OSError:
            assert server.poll() is None, "the explorer ended"
            time.sleep(0.2)
    pytest.fail("the explorer did not start within a minute")


def databases() -> list[str]:
    """The databases that tests look at: that with hostile texts, and that of the last run where there is one."""
    last = os.environ.get("DATABASE", "")
    return ["hostile", *([last] if last and Path(ROOT, last).is_file() else [])]


@pytest.fixture(scope="session", params=databases(), ids=lambda name: "hostile" if name == "hostile" else "last_run")
def explorer(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the explorer of a database."""
    is_hostile = request.param == "hostile"
    database = request.getfixturevalue("results") / "provenance/run.sqlite" if is_hostile else ROOT / request.param
    port = free_port()
    command = [sys.executable, "-m", "scripts.explorer", str(database), "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, server)
            yield address
        finally:
            server.terminate()


@pytest.fixture
def hostile(explorer: str, request: pytest.FixtureRequest) -> str:
    """The explorer's address, for tests that need the hostile texts."""
    if "last_run" in request.node.name:
        pytest.skip("needs the results with hostile texts")
    return explorer
