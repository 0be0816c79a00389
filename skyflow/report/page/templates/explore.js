// Plans again while a weight is moved; without it, the button does.
"use strict";
(() => {
  const PAUSE = 120; // milliseconds without a further move
  const byId = (id) => document.getElementById(id);
  const form = byId("weights");
  let timer = 0, asked = null;
  document.documentElement.classList.add("scripted");
  const say = (text) => { if (byId("state")) byId("state").textContent = text; };

  const show = async (address, parts) => {
    if (asked) asked.abort();
    const mine = asked = new AbortController();
    say("planning");
    try {
      const answer = await fetch(address, { cache: "no-store", signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok) { say(page.querySelector(".note")?.textContent ?? "that did not work"); return; }
      for (const id of parts) {
        const theirs = page.getElementById(id);
        if (byId(id) && theirs) byId(id).replaceWith(theirs);
      }
      say("");
      if (byId("later")) show(byId("later").href, ["frontier"]);
    } catch (error) {
      if (error.name !== "AbortError") say("not reached");
    }
  };
  const address = () => "/plan?" + new URLSearchParams(new FormData(form));
  if (form) {
    form.addEventListener("input", () => {
      for (const each of form.querySelectorAll("input[type=range]")) each.previousElementSibling.querySelector("output").value = each.value;
      clearTimeout(timer);
      timer = setTimeout(() => {
        history.replaceState(null, "", address());
        show(address(), ["result", "placements", "frontier"]);
      }, PAUSE);
    });
    form.addEventListener("submit", (event) => { event.preventDefault(); show(address(), ["result", "placements", "frontier"]); });
  }
  if (byId("later")) show(byId("later").href, ["frontier"]);
})();
