// Scans without a page in between. A scanner types faster than a network answers: each Enter puts what was typed in a
// queue, and the queue is sent one by one. Without this script each scan is a form.

const form = document.getElementById("scan");
const field = document.getElementById("code");
const told = document.getElementById("scanned");
const aside = document.getElementById("aside");
const ASIDE_MAX = 8;
const queue = [];
let busy = false;
let sound = null;

// High and short: on the truck. Low and long: stop, and read.
function beep(well) {
  sound ??= new AudioContext();
  const tone = sound.createOscillator();
  const volume = sound.createGain();
  tone.frequency.value = well ? 1320 : 220;
  tone.type = well ? "sine" : "square";
  volume.gain.value = 0.15;
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + (well ? 0.08 : 0.6));
}

function say(words, well) {
  told.textContent = `${well ? "●" : "✕"} ${words}`;
  told.classList.toggle("refused", !well);
  told.setAttribute("role", well ? "status" : "alert");
  told.hidden = false;
  beep(well);
}

// The next scan takes the sentence's place at once: what was refused stays listed, until the same box goes.
function keep(code, words, well) {
  const list = aside.querySelector("ul");
  for (const each of [...list.children]) if (each.dataset.code === code) each.remove();
  if (!well) {
    const line = document.createElement("li");
    line.dataset.code = code;
    line.textContent = words;
    list.prepend(line);
    if (list.children.length > ASIDE_MAX) list.lastElementChild.remove();
  }
  aside.hidden = !list.children.length;
}

async function send(code) {
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams({ code }),
  });
  if (new URL(answer.url).pathname === "/sign-in") location.assign(answer.url);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("loads");
  if (fresh) document.getElementById("loads").replaceWith(fresh);
  else location.reload(); // somebody has closed it
}

async function work() {
  if (busy) return;
  busy = true;
  while (queue.length) {
    try {
      const answer = await send(queue[0]);
      say(answer.told, answer.well);
      keep(queue[0], answer.told, answer.well);
    } catch {
      const words = `${queue[0]} was not sent: Bilty cannot be reached. Scan it again.`;
      say(words, false);
      keep(queue[0], words, false);
    }
    queue.shift();
    if (!queue.length) await renew().catch(() => {});
  }
  busy = false;
  form.dataset.sent = String(Number(form.dataset.sent ?? 0) + 1);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const code = field.value.trim();
  field.value = "";
  field.focus();
  if (!code) return;
  queue.push(code);
  work();
});

// Whoever leaves while scans wait is asked first.
window.addEventListener("beforeunload", (event) => {
  if (queue.length) event.preventDefault();
});

// What is typed anywhere goes to the field: a scanner does not know where the focus is.
document.addEventListener("keydown", (event) => {
  const elsewhere = event.target.closest("input, select, textarea, button, a, summary");
  if (!elsewhere && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) field.focus();
});
