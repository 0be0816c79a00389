// What makes the report quicker to use; everything can be read without it.
"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  let jobs = [...document.querySelectorAll("#jobs .job")];
  const search = byId("search"), standing = byId("standing"), found = byId("found");
  const highlight = window.CSS && CSS.highlights && window.Highlight ? new Highlight() : null;
  const MOST_MARKS = 2000;
  root.classList.add("scripted");
  if (highlight) CSS.highlights.set("found", highlight);

  const texts = new Map(); // lower-case text of each job, made when it is first searched
  const textOf = (job) => {
    if (!texts.has(job)) texts.set(job, job.textContent.toLowerCase());
    return texts.get(job);
  };
  const mark = (job, words) => {
    let count = 0;
    const walker = document.createTreeWalker(job, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      let hit = false;
      for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
        count += 1;
        hit = true;
        if (!highlight || highlight.size >= MOST_MARKS || text.length !== node.data.length) continue;
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + words.length);
        highlight.add(range);
      }
      if (hit) for (let up = node.parentElement; up && up !== job; up = up.parentElement) {
        if (up.localName === "details") up.open = true;
      }
    }
    return count;
  };
  const apply = () => {
    const words = search.value.trim().toLowerCase();
    let shown = 0, hits = 0;
    if (highlight) highlight.clear();
    for (const job of jobs) {
      const fits = (!standing.value || job.dataset.standing === standing.value) && (!words || textOf(job).includes(words));
      job.hidden = !fits;
      if (!fits) continue;
      shown += 1;
      if (words) {
        const inside = mark(job, words);
        hits += inside;
        if (shown <= 20 && inside) job.open = true;
      }
    }
    found.textContent = words || standing.value
      ? `${shown} of ${jobs.length} jobs${words ? `, ${hits} places` : ""}` : "";
  };
  document.addEventListener("changed", () => { // of a live page
    jobs = [...document.querySelectorAll("#jobs .job")];
    texts.clear();
    if (search.value || standing.value) apply();
  });
  let timer = 0;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
  standing.addEventListener("change", apply);
  byId("tools").addEventListener("submit", (event) => { event.preventDefault(); apply(); });
  byId("open").addEventListener("click", () => jobs.forEach((job) => { if (!job.hidden) job.open = true; }));
  byId("close").addEventListener("click", () => jobs.forEach((job) => { job.open = false; }));

  const reveal = () => { // a link to a job opens it, also where a filter hides it
    const target = location.hash && byId(location.hash.slice(1));
    if (!target || target.localName !== "details") return;
    if (target.hidden) { search.value = ""; standing.value = ""; apply(); }
    target.open = true;
    target.scrollIntoView({ block: "start" });
    target.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => { // also when the address already ends in it
    const link = event.target.closest && event.target.closest('a[href^="#job-"]');
    const href = link && link.getAttribute("href");
    if (href && href === location.hash) reveal();
  });
  reveal();

  addEventListener("keydown", (event) => {
    const typing = /^(input|select|textarea)$/.test(event.target.localName || "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); search.focus(); search.select(); }
    if (event.key === "Escape" && event.target === search) { search.value = ""; apply(); }
  });

  const theme = byId("theme"), themes = ["", "light", "dark"];
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
    if (next) root.dataset.theme = next; else delete root.dataset.theme;
    theme.setAttribute("aria-label", `Colours: ${next || "as the system has them"}`);
    theme.title = next || "as the system";
  });
})();
