// Keeps a page fresh. The server writes the page; this fetches it anew when it hears of a change, and swaps what moved.
// Without this script everything works: the page then refreshes itself while something is under way.

const PART = "live";
const REST_MS = 1000; // at most one fetch in this time
const QUIET_MS = 4000; // a line that is lost for less is not worth a word

const line = document.getElementById("line");
const part = () => document.getElementById(PART);
const state = { timer: 0, running: false, again: false, lostAt: null, lostTimer: 0 };

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

async function fetched() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.redirected) location.assign(answer.url); // the session has ended
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(PART);
}

const rowsOf = (root) => [...root.querySelectorAll("tbody > tr[id]")];

function textOf(row) {
  const copy = row.cloneNode(true);
  copy.querySelector(".age")?.remove(); // time passes; that is no news
  return copy.textContent;
}

function tint(fresh, old) {
  const before = new Map(rowsOf(old).map((row) => [row.id, textOf(row)]));
  for (const row of rowsOf(fresh)) {
    if (before.get(row.id) !== textOf(row)) row.classList.add("changed");
  }
}

// Replaces rows that are there already and leaves their places alone. True when the order is no longer what it was.
function patch(fresh, old) {
  const next = new Map(rowsOf(fresh).map((row) => [row.id, row]));
  for (const row of rowsOf(old)) {
    const other = next.get(row.id);
    if (other && other.innerHTML !== row.innerHTML && !row.contains(document.activeElement)) row.replaceWith(other.cloneNode(true));
  }
  const ids = (root) => rowsOf(root).map((row) => row.id).join();
  return ids(fresh) !== ids(old);
}

function swap(fresh) {
  const old = part();
  const held = old.querySelector("tbody:hover") || old.contains(document.activeElement);
  tint(fresh, old);
  if (held && rowsOf(old).length) {
    const moved = patch(fresh, old);
    old.querySelector(".tabs")?.replaceWith(fresh.querySelector(".tabs"));
    if (moved) say("The list has changed.", { words: "Show it", run: () => { say(""); refresh(true); } });
    return;
  }
  old.replaceWith(fresh);
  if (!state.lostAt) say("");
}

async function refresh(force = false) {
  if (document.hidden && !force) { state.again = true; return; }
  if (state.running) { state.again = true; return; }
  state.running = true;
  state.again = false;
  try {
    const fresh = await fetched();
    if (force) document.activeElement?.blur();
    if (fresh) swap(fresh);
  } catch {
    state.again = true;
  }
  state.running = false;
  clearTimeout(state.timer);
  state.timer = setTimeout(() => { state.timer = 0; if (state.again) refresh(); }, REST_MS);
}

function changed(event) {
  const ids = JSON.parse(event.data);
  const own = Number(part().dataset.shipment);
  if (own && ids.length && !ids.includes(own)) return;
  if (state.timer) state.again = true;
  else refresh();
}

function lost() {
  if (state.lostAt) return;
  state.lostAt = new Date();
  state.lostTimer = setTimeout(() => {
    const since = state.lostAt?.toLocaleTimeString("en-IN", { hour: "2-digit", minute: "2-digit", hour12: false });
    if (since) say(`The line to Bilty is lost since ${since}. What you see is as it was then.`);
  }, QUIET_MS);
}

function found() {
  clearTimeout(state.lostTimer);
  if (state.lostAt) { state.lostAt = null; say(""); refresh(); }
}

// A hidden tab rests: browsers keep but a few lines to one house, and a seventh tab would wait for ever.
let events = null;

function listen() {
  events = new EventSource(part().dataset.events);
  events.addEventListener("changed", changed);
  events.addEventListener("hello", found);
  events.addEventListener("error", lost);
}

document.addEventListener("visibilitychange", () => {
  events?.close();
  events = null;
  if (document.hidden) return;
  listen();
  refresh();
});

if (!document.hidden) listen();
