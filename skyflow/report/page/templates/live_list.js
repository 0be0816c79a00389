// Keeps a page of `skyflow ui` up with what happens: it is told that something has changed, and fetches all of it.
"use strict";
(() => {
  const LEAST_PAUSE = 100; // milliseconds between two pictures; more where one takes long
  const PAUSE_AFTER_FAILURE = 2000;
  const say = (text) => { document.getElementById("live").textContent = text; };
  let wanted = false, busy = false;
  document.documentElement.classList.add("scripted");

  const show = (page) => {
    document.title = page.title;
    for (const section of page.querySelectorAll("main > section")) {
      const known = document.getElementById(section.id);
      if (known) become(known, section); else document.querySelector("main").append(section);
    }
  };
  const refresh = async () => {
    if (busy) { wanted = true; return; }
    busy = true;
    const began = performance.now();
    let pause = LEAST_PAUSE;
    try {
      const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      say("live");
    } catch {
      say("not reached");
      wanted = true;
      pause = PAUSE_AFTER_FAILURE;
    }
    setTimeout(() => {
      busy = false;
      if (wanted) { wanted = false; refresh(); }
    }, Math.max(pause, performance.now() - began));
  };

  const source = new EventSource("/changes");
  source.addEventListener("changed", refresh);
  source.addEventListener("open", () => { say("live"); refresh(); });
  source.addEventListener("error", () => { say("not reached"); });
})();
