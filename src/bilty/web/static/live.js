// Keeps a page fresh. The server writes the page; this fetches it anew when it hears of a change, and swaps what moved.
// Without this script everything works: the page then refreshes itself while something is under way.

import { hasParts, learn, swapParts } from "./parts.js";

const PART = "live";
const REST_MS = 1000; // at most one fetch in this time, unless the page asks for a longer rest
const REST_MAX_MS = 60_000; // after each failure the rest is twice as long, up to this
const QUIET_MS = 4000; // a line that is lost for less is not worth a word

const line = document.getElementById("line");
const part = () => document.getElementById(PART);
const state = { timer: 0, running: false, again: false, rest: 0, lostAt: null, lostTimer: 0, listenTimer: 0, listenRest: REST_MS };

function say(words, action) {
  line.replaceChildren(words);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action.words;
    button.addEventListener("click", action.run);
    line.append(" ", button);
  }
  line.hidden = !words;
}

// The page anew; null where the address leads elsewhere by now. Nobody is carried off unasked, but to sign in.
async function fetched() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.redirected) {
    if (new URL(answer.url).pathname === "/sign-in") location.assign(answer.url);
    else if (line.hidden) say("This page has moved on.", { words: "Show", run: () => location.assign(answer.url) });
    return null;
  }
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// What stands outside of the part and is as fresh: a button in the page's head with its count.
function swapBeside(page) {
  for (const beside of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${beside.dataset.live}"]`);
    if (fresh && fresh.innerHTML !== beside.innerHTML && !beside.contains(document.activeElement)) beside.replaceWith(fresh);
  }
}

const rowsOf = (root) => [...root.querySelectorAll("tbody > tr[id]")];

function textOf(row) {
  const copy = row.cloneNode(true);
  copy.querySelector(".age")?.remove(); // time passes; that is no news
  return copy.textContent;
}

const news = (root) => [root.querySelector(".tabs")?.textContent, ...rowsOf(root).map((row) => row.id + textOf(row))].join();

function tint(fresh, old) {
  const before = new Map(rowsOf(old).map((row) => [row.id, textOf(row)]));
  for (const row of rowsOf(fresh)) {
    if (before.get(row.id) !== textOf(row)) row.classList.add("changed");
  }
}

// A row in which somebody stands is renewed around the cell where they stand.
function renew(row, other) {
  if (!row.contains(document.activeElement)) { row.replaceWith(other.cloneNode(true)); return; }
  const cells = [...other.cloneNode(true).cells];
  [...row.cells].forEach((cell, at) => { if (cells[at] && !cell.contains(document.activeElement)) cell.replaceWith(cells[at]); });
  if (other.classList.contains("changed")) row.classList.add("changed");
}

// Renews rows that are there already and leaves their places alone. How many others have come, gone or moved.
function patch(fresh, old) {
  const next = new Map(rowsOf(fresh).map((row) => [row.id, row]));
  for (const row of rowsOf(old)) {
    const other = next.get(row.id);
    if (other && other.innerHTML !== row.innerHTML) renew(row, other);
  }
  const before = rowsOf(old).map((row) => row.id);
  const after = [...next.keys()];
  if (before.join() === after.join()) return 0;
  const there = new Set(before);
  return after.filter((id) => !there.has(id)).length + before.filter((id) => !next.has(id)).length || 1;
}

function swap(fresh) {
  const old = part();
  if (hasParts(old)) {
    if (!swapParts(fresh, old)) old.addEventListener("focusout", () => setTimeout(refresh), { once: true });
    if (!state.lostAt) say("");
    return;
  }
  if (rowsOf(old).length && news(fresh) === news(old)) return;
  const held = old.querySelector("tbody:hover") || old.contains(document.activeElement);
  tint(fresh, old);
  if (held && rowsOf(old).length) {
    const waiting = patch(fresh, old);
    const tabs = old.querySelector(".tabs");
    if (!tabs?.contains(document.activeElement)) tabs?.replaceWith(fresh.querySelector(".tabs"));
    if (!state.lostAt) say("");
    if (waiting) say(`${waiting} ${waiting === 1 ? "update" : "updates"}.`, { words: "Show", run: () => { say(""); refresh(true); } });
    return;
  }
  old.replaceWith(fresh);
  if (!state.lostAt) say("");
}

function show(page, force) {
  const fresh = page.getElementById(PART);
  if (force) document.activeElement?.blur();
  swapBeside(page);
  if (fresh) swap(fresh);
  document.dispatchEvent(new Event("bilty:fresh"));
}

const usualRest = () => Number(part()?.dataset.rest) || REST_MS;
const longer = (rest) => Math.min(2 * rest, REST_MAX_MS);

async function refresh(force = false) {
  if (document.hidden && !force) { state.again = true; return; }
  if (state.running) { state.again = true; return; }
  state.running = true;
  state.again = false;
  const began = performance.now();
  try {
    const page = await fetched();
    state.rest = usualRest();
    if (page) show(page, force);
  } catch {
    state.again = true;
    state.rest = longer(state.rest || usualRest());
  }
  state.running = false;
  clearTimeout(state.timer);
  const rest = Math.max(state.rest, performance.now() - began); // a server that is slow is asked as slowly
  state.timer = setTimeout(() => { state.timer = 0; if (state.again) refresh(); }, rest);
}

function ask() {
  if (state.timer) state.again = true;
  else refresh();
}

function lost() {
  if (events.readyState === EventSource.CLOSED) { // it was refused, and does not come back by itself
    clearTimeout(state.listenTimer);
    state.listenTimer = setTimeout(() => { if (!document.hidden) { listen(); ask(); } }, state.listenRest);
    state.listenRest = longer(state.listenRest);
  }
  if (state.lostAt) return;
  state.lostAt = new Date();
  state.lostTimer = setTimeout(() => {
    const since = state.lostAt?.toLocaleTimeString("en-IN", { hour: "2-digit", minute: "2-digit", hour12: false });
    if (since) say(`The line to Bilty is lost since ${since}. What you see is as it was then.`);
  }, QUIET_MS);
}

function found() {
  clearTimeout(state.lostTimer);
  state.listenRest = REST_MS;
  if (state.lostAt) { state.lostAt = null; say(""); }
  ask(); // the first time, too: of what changed after the page was written, no event comes
}

// A hidden tab rests: browsers keep but a few lines to one house, and a seventh tab would wait for ever.
let events = null;

function listen() {
  events = new EventSource(part().dataset.events);
  events.addEventListener("changed", ask);
  events.addEventListener("hello", found);
  events.addEventListener("error", lost);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(state.listenTimer);
  events?.close();
  events = null;
  if (document.hidden || !part()) return;
  listen();
  refresh();
});

learn(document);
if (part() && !document.hidden) listen();
