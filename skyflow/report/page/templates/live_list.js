// Keeps a page of `skyflow ui` up with what happens: it is told that something has changed, and fetches all of it.
"use strict";
(() => {
  const LEAST_PAUSE = 100; // milliseconds between two pictures; more where one takes long
  const say = (text) => { document.getElementById("live").textContent = text; };
  let wanted = false, busy = false;
  document.documentElement.classList.add("scripted");

  const show = (page) => {
    document.title = page.title;
    for (const section of page.querySelectorAll("main > section")) become(document.getElementById(section.id), section);
  };
  const refresh = async () => {
    if (busy) { wanted = true; return; }
    busy = true;
    const began = performance.now();
    try {
      const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { say("not reached"); }
    setTimeout(() => {
      busy = false;
      if (wanted) { wanted = false; refresh(); }
    }, Math.max(LEAST_PAUSE, performance.now() - began));
  };

  const source = new EventSource("/changes");
  source.addEventListener("changed", refresh);
  source.addEventListener("open", () => { say("live"); refresh(); });
  source.addEventListener("error", () => { say("not reached"); });
})();
