"""Debian's chromium, with a new profile and no network of its own."""

import json
import os
import shutil
from pathlib import Path

from selenium import webdriver

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
]


class Browser(webdriver.Chrome):
    """A browser with a new profile."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        super().__init__(options=options, service=webdriver.ChromeService(executable_path=DRIVER))

    def forget(self) -> None:
        """Be as new: on an empty page of a desktop's width, in light colours, without cookies and messages."""
        self.get("about:blank")
        self.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "local_storage"})
        self.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
        self.complaints()
        self.requests()

    def look_at(self, page: Path | str, *, width: int = 1440, height: int = 900, dark: bool = False) -> None:
        """Open a page as on a device of this width."""
        self.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.get("about:blank")
        self.get(page if isinstance(page, str) else page.as_uri())

    def picture(self, name: str) -> None:
        """Keep a screenshot where somebody wants one."""
        if folder := os.environ.get("SKYFLOW_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.save_screenshot(str(Path(folder) / f"{name}.png"))

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}]

    def requests(self) -> set[str]:
        """Return the addresses that were asked for since this was last called."""
        messages = [json.loads(entry["message"])["message"] for entry in self.get_log("performance")]
        sent = (each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent")
        return {url for url in sent if not url.startswith(("chrome:", "about:", "data:"))}
