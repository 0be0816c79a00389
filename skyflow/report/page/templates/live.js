// Keeps a page of `skyflow ui` up with what happens: it is told that something has changed, and fetches what.
"use strict";
(() => {
  const LEAST_PAUSE = 100; // milliseconds between two pictures; more where one takes long
  const ELEMENT = 1, NEAR_END = 4;
  const say = (text) => { document.getElementById("live").textContent = text; };
  let wanted = false, busy = false;
  document.documentElement.classList.add("scripted");

  // What a reader has done stays: what is open, hidden by a filter, chosen or focused, and where a log was scrolled to.
  const isReaders = (element, name) => name === "open" || name === "hidden";
  const takeAttributes = (mine, theirs) => {
    for (const { name, value } of theirs.attributes) {
      if (!isReaders(mine, name) && mine.getAttribute(name) !== value) mine.setAttribute(name, value);
    }
    for (const { name } of [...mine.attributes]) {
      if (!isReaders(mine, name) && !theirs.hasAttribute(name)) mine.removeAttribute(name);
    }
  };
  const become = (mine, theirs) => { // changes only what is different, so that nothing else moves
    if (mine.nodeType !== theirs.nodeType || mine.nodeName !== theirs.nodeName) { mine.replaceWith(theirs); return; }
    if (mine.nodeType !== ELEMENT) { if (mine.data !== theirs.data) mine.data = theirs.data; return; }
    if (mine.hasAttribute("data-own") || mine.isEqualNode(theirs)) return;
    const isFollowed = mine.classList.contains("log") // only of these: asking for heights lays the whole page out
      && mine.scrollHeight > mine.clientHeight && mine.scrollTop + mine.clientHeight >= mine.scrollHeight - NEAR_END;
    const chosen = mine.localName === "select" ? mine.value : null;
    takeAttributes(mine, theirs);
    const before = [...mine.childNodes], after = [...theirs.childNodes];
    after.forEach((child, index) => { if (before[index]) become(before[index], child); else mine.append(child); });
    before.slice(after.length).forEach((child) => child.remove());
    if (chosen !== null) { mine.value = chosen; if (mine.selectedIndex < 0) mine.value = ""; }
    if (isFollowed) mine.scrollTop = mine.scrollHeight;
  };
  const show = (page) => {
    document.title = page.title;
    for (const part of ["header.top", "nav.parts"]) {
      if (page.querySelector(part)) become(document.querySelector(part), page.querySelector(part));
    }
    const main = document.getElementById("main");
    for (const section of page.querySelectorAll("main > section")) {
      const mine = document.getElementById(section.id);
      if (mine) become(mine, section);
      else main.insertBefore(section, document.getElementById("graph"));
    }
    document.dispatchEvent(new Event("changed"));
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

  const source = new EventSource(location.pathname.replace(/\/$/, "") + "/changes");
  source.addEventListener("changed", refresh);
  source.addEventListener("open", () => { say("live"); refresh(); });
  source.addEventListener("error", () => { say("not reached"); });
})();
