// Makes a page that is looked at like another one, by changing what is different and nothing else.
// What a reader has done stays: what is open, hidden by a filter, chosen or focused, and where a log was scrolled to.
"use strict";
const become = (() => {
  const ELEMENT = 1, NEAR_END = 4;
  const isReaders = (name) => name === "open" || name === "hidden";
  const takeAttributes = (mine, theirs) => {
    for (const { name, value } of theirs.attributes) {
      if (!isReaders(name) && mine.getAttribute(name) !== value) mine.setAttribute(name, value);
    }
    for (const { name } of [...mine.attributes]) {
      if (!isReaders(name) && !theirs.hasAttribute(name)) mine.removeAttribute(name);
    }
  };
  const isSame = (one, other) => one.nodeName === other.nodeName && one.id === other.id;
  const takeChildren = (parent, mine, theirs) => { // the same from both ends, so that what comes between moves nothing
    let from = 0, until = 0;
    const least = Math.min(mine.length, theirs.length);
    while (from < least && isSame(mine[from], theirs[from])) from += 1;
    while (until < least - from && isSame(mine.at(-1 - until), theirs.at(-1 - until))) until += 1;
    for (let at = 0; at < from; at += 1) become(mine[at], theirs[at]);
    for (let at = 1; at <= until; at += 1) become(mine.at(-at), theirs.at(-at));
    const next = mine[mine.length - until] ?? null;
    mine.slice(from, mine.length - until).forEach((child) => child.remove());
    theirs.slice(from, theirs.length - until).forEach((child) => parent.insertBefore(child, next));
  };
  const become = (mine, theirs) => {
    if (mine.nodeType !== theirs.nodeType || mine.nodeName !== theirs.nodeName) { mine.replaceWith(theirs); return; }
    if (mine.nodeType !== ELEMENT) { if (mine.data !== theirs.data) mine.data = theirs.data; return; }
    if (mine.hasAttribute("data-own") || mine.isEqualNode(theirs)) return;
    const isFollowed = mine.classList.contains("log") // only of these: asking for heights lays the whole page out
      && mine.scrollHeight > mine.clientHeight && mine.scrollTop + mine.clientHeight >= mine.scrollHeight - NEAR_END;
    const chosen = mine.localName === "select" ? mine.value : null;
    takeAttributes(mine, theirs);
    if (mine.hasAttribute("data-rows") && theirs.hasAttribute("data-rows")) return; // its rows are told of one by one
    takeChildren(mine, [...mine.childNodes], [...theirs.childNodes]);
    if (chosen !== null) { mine.value = chosen; if (mine.selectedIndex < 0) mine.value = ""; }
    if (isFollowed) mine.scrollTop = mine.scrollHeight;
  };
  return become;
})();
