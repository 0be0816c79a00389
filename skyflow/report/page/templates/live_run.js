// Keeps the page of a run up with what happens: it is sent the parts that are different, and where they belong.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("live").textContent = text; };
  document.documentElement.classList.add("scripted");

  const made = (html, parent) => { // an element for this parent: rows of tables and boxes of graphs need theirs around them
    const holder = document.createElement("template");
    const [open, close] = parent.namespaceURI.endsWith("svg") ? ["<svg>", "</svg>"] : ["", ""];
    holder.innerHTML = open + html + close;
    return open ? holder.content.firstElementChild.firstElementChild : holder.content.firstElementChild;
  };
  const show = ({ id, html, inside, after }) => {
    const mine = byId(id);
    if (!html) { mine?.remove(); return; }
    const parent = inside ? byId(inside) : mine.parentElement;
    const theirs = made(html, parent);
    if (mine) become(mine, theirs);
    else if (after) byId(after).after(theirs);
    else parent.prepend(theirs);
  };

  const source = new EventSource(`${location.pathname}/changes?since=${byId("main").dataset.version}`);
  source.addEventListener("changed", (event) => {
    const { title, parts } = JSON.parse(event.data);
    document.title = title;
    parts.forEach(show);
    document.dispatchEvent(new Event("changed"));
  });
  source.addEventListener("open", () => say("live"));
  source.addEventListener("error", () => say("not reached"));
})();
