// Adds what a step prints to the page of its log, and stays at the end for whoever is there.
"use strict";
(() => {
  const MOST_LINES = 5000, NEAR_END = 40;
  const lines = document.getElementById("lines"), live = document.getElementById("live"), last = document.getElementById("last");
  const root = document.documentElement;
  const toEnd = () => scrollTo({ top: root.scrollHeight, behavior: "instant" });
  root.classList.add("scripted");
  if (!location.hash && !lines.dataset.find) toEnd();
  const { job, attempt, step, find } = lines.dataset;
  const asked = new URLSearchParams({ job, attempt, step, find, after: lines.dataset.last });
  const source = new EventSource(`${location.pathname}/lines?${asked}`);
  source.addEventListener("lines", (event) => {
    const { html, number } = JSON.parse(event.data);
    const isAtEnd = scrollY + innerHeight >= root.scrollHeight - NEAR_END;
    lines.insertAdjacentHTML("beforeend", html);
    while (lines.childElementCount > MOST_LINES) lines.firstElementChild.remove();
    if (last) last.textContent = number.toLocaleString("en");
    if (isAtEnd) toEnd();
  });
  source.addEventListener("ended", () => { source.close(); live.textContent = "ended"; });
  source.addEventListener("open", () => { live.textContent = "live"; });
  source.addEventListener("error", () => { live.textContent = "not reached"; });
})();
