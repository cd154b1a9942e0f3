// Quick hands for the list: keys, a selection that lasts over pages, a question before a cancel.
// Without this script the list works: the boxes of a page are one form, and each filter has its button.

const KEPT = "bilty.chosen";
const live = () => document.getElementById("live");
const form = () => document.getElementById("chosen");
const boxes = () => [...document.querySelectorAll('#chosen [name="id"]')];
const rows = () => [...document.querySelectorAll("#chosen tbody > tr[id]")];
const every = () => document.querySelector('#chosen [name="matching"]');

// What is selected belongs to one filter: nobody shall cancel what another list had selected and does not show.
function kept() {
  try {
    const { query, ids } = JSON.parse(sessionStorage.getItem(KEPT));
    if (query === live()?.dataset.query) return new Set(ids);
  } catch { /* nothing is kept */ }
  return new Set();
}

const chosen = kept();

function keep() {
  sessionStorage.setItem(KEPT, JSON.stringify({ query: live()?.dataset.query, ids: [...chosen] }));
}

function show() {
  if (!form()) return;
  const here = boxes();
  for (const box of here) box.checked = chosen.has(box.value);
  const ticked = here.filter((box) => box.checked).length;
  const page = document.getElementById("page-pick");
  page.hidden = page.disabled = false;
  page.checked = ticked > 0 && ticked === here.length;
  page.indeterminate = ticked > 0 && ticked < here.length;
  const all = every().checked;
  form().classList.toggle("some", chosen.size > 0 || all);
  const others = chosen.size - ticked;
  document.getElementById("chosen-count").textContent = all ? "All that match" : `${chosen.size.toLocaleString("en-IN")} selected`;
  document.getElementById("chosen-elsewhere").textContent = others && !all ? `${others.toLocaleString("en-IN")} on other pages` : "";
}

function choose(box, on) {
  if (on) chosen.add(box.value); else chosen.delete(box.value);
}

function clear() {
  chosen.clear();
  if (every()) every().checked = false;
  keep();
  show();
}

let last = null; // for a run of rows: from the box before to this one, with the shift key held

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.('#chosen [name="id"]')) return;
  const all = boxes();
  const from = all.findIndex((each) => each.value === last);
  const to = all.indexOf(box);
  if (event.shiftKey && from >= 0) {
    for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) choose(each, box.checked);
  }
  last = box.value;
});

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches(".narrow select")) { field.form.requestSubmit(); return; }
  if (!field.closest("#chosen")) return;
  if (field.id === "page-pick") for (const box of boxes()) choose(box, field.checked);
  if (field.name === "id") choose(field, field.checked);
  keep();
  show();
});

document.addEventListener("reset", (event) => { if (event.target === form()) setTimeout(clear); });

function hide(name, value) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name, value });
  field.dataset.added = "";
  form().append(field);
}

function elsewhere() {
  const here = new Set(boxes().map((box) => box.value));
  return every().checked ? [] : [...chosen].filter((id) => !here.has(id));
}

// What is asked, and what stands for exactly these shipments, is the server's: its page, without leaving this one.
async function ask(button) {
  const sent = new URLSearchParams(new FormData(form(), button));
  for (const id of elsewhere()) sent.append("id", id);
  const answer = await fetch(form().action, { method: "POST", body: sent, redirect: "manual" }).catch(() => null);
  const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  const sure = page?.querySelector('[name="sure"]')?.value;
  if (!sure) { hide("sure", ""); form().requestSubmit(button); return; } // refused: the server says why
  const dialog = document.getElementById("ask-cancel");
  if (dialog.open) return;
  dialog.querySelector("h2").textContent = page.querySelector("h1").textContent;
  dialog.querySelector("[data-tells]").replaceChildren(...page.querySelector("#tells").children);
  for (const word of dialog.querySelectorAll("[data-it]")) word.textContent = chosen.size === 1 && !every().checked ? "it" : "them";
  dialog.returnValue = "";
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") { button.focus(); return; }
    hide("sure", sure);
    form().requestSubmit(button);
  }, { once: true });
  dialog.showModal();
}

document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  const button = event.submitter;
  if (button?.dataset.ask && !form().querySelector('[name="sure"]')) { event.preventDefault(); ask(button); return; }
  for (const id of elsewhere()) hide("id", id);
  if (button?.value !== "export") sessionStorage.removeItem(KEPT);
  setTimeout(() => { for (const field of form().querySelectorAll("[data-added]")) field.remove(); });
});

// An address without what is blank.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches(".narrow")) return;
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});

const rowOf = (element) => element?.closest?.("#chosen tbody > tr[id]");

function go(step) {
  const all = rows();
  const at = all.indexOf(rowOf(document.activeElement));
  const to = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
  const link = to?.querySelector("th a");
  link?.focus({ preventScroll: true });
  to?.scrollIntoView({ block: "nearest" });
}

const keys = {
  j: () => go(1),
  k: () => go(-1),
  x: () => {
    const box = rowOf(document.activeElement)?.querySelector('[name="id"]');
    if (box) { choose(box, !box.checked); keep(); show(); }
  },
  "/": () => document.getElementById("find").select(),
  "?": () => document.getElementById("keys").showModal(),
  Escape: () => { if (chosen.size || every()?.checked) clear(); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const field = event.target;
  if (field.matches("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape") field.blur();
    return;
  }
  if (event.key === "Enter" && field.matches('#chosen [name="id"]')) {
    event.preventDefault();
    rowOf(field).querySelector("th a").click();
    return;
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#keys-open")) document.getElementById("keys").showModal();
});

// live.js has put in what is new; a page that comes back from the browser's own memory is as it was left.
function again() {
  const opener = document.getElementById("keys-open");
  if (opener) opener.hidden = false;
  show();
}

document.addEventListener("bilty:fresh", again);
addEventListener("pageshow", again);
again();
