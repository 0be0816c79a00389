// Keeps a page of `skyflow ui` up with what happens: it is told that something has changed, and fetches what.
"use strict";
(() => {
  const LEAST_PAUSE = 150; // milliseconds between two pictures; more where one takes long
  const say = (text) => { document.getElementById("live").textContent = text; };
  let wanted = false, busy = false, took = 0;

  const keepOpen = (mine, theirs) => { // what a reader has opened stays open, what is new is as it comes
    const before = [...mine.querySelectorAll("details")];
    theirs.querySelectorAll("details").forEach((each, index) => {
      if (before[index]) each.open = before[index].open;
    });
  };
  const keepEnds = (mine) => [...mine.querySelectorAll("pre.log")].map(
    (log) => [log.scrollTop, log.scrollTop + log.clientHeight >= log.scrollHeight - 4]);
  const restoreEnds = (mine, ends) => mine.querySelectorAll("pre.log").forEach((log, index) => {
    if (ends[index]) log.scrollTop = ends[index][1] ? log.scrollHeight : ends[index][0];
  });
  const replaceInside = (mine, theirs) => {
    keepOpen(mine, theirs);
    if (mine.innerHTML === theirs.innerHTML) return;
    const ends = keepEnds(mine);
    const focused = mine.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    mine.replaceChildren(...theirs.childNodes);
    restoreEnds(mine, ends);
    if (focused) mine.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
  const replaceJobs = (theirs) => {
    const list = document.getElementById("jobs");
    const choice = document.getElementById("standing"), chosen = choice.value;
    choice.replaceChildren(...theirs.querySelector("#standing").childNodes);
    choice.value = chosen; // nothing is chosen where no job stands so any more: all are shown
    if (choice.selectedIndex < 0) choice.value = "";
    for (const job of theirs.querySelectorAll(".job")) {
      const mine = document.getElementById(job.id);
      if (!mine) { list.append(job); continue; }
      mine.dataset.standing = job.dataset.standing;
      replaceInside(mine, job);
    }
  };
  const show = (page) => {
    document.title = page.title;
    page.getElementById("live").textContent = document.getElementById("live").textContent;
    page.documentElement.classList.add("scripted");
    for (const part of ["header.top", "nav"]) {
      replaceInside(document.querySelector(part), page.querySelector(part));
    }
    const main = document.getElementById("main");
    for (const section of page.querySelectorAll("main > section")) {
      const mine = document.getElementById(section.id);
      if (section.id === "jobs" && mine) replaceJobs(section);
      else if (mine) replaceInside(mine, section);
      else main.insertBefore(section, document.getElementById("graph"));
    }
    document.dispatchEvent(new Event("changed"));
  };
  const refresh = async () => {
    if (busy) { wanted = true; return; }
    busy = true;
    const began = performance.now();
    try {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { say("not reached"); }
    took = performance.now() - began;
    setTimeout(() => {
      busy = false;
      if (wanted) { wanted = false; refresh(); }
    }, Math.max(LEAST_PAUSE, took));
  };

  const source = new EventSource(location.pathname.replace(/\/$/, "") + "/changes");
  source.addEventListener("changed", refresh);
  source.addEventListener("open", () => { say("live"); refresh(); });
  source.addEventListener("error", () => { say("not reached"); });
})();
