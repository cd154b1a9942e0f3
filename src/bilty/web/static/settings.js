// Settings: what a shipment booked now would be promised, while it is typed; answers of ClickPost as they come; a code
// that follows its name. Without this script buttons do the same.

const REST_MS = 200;
const ASK_AGAIN_MS = 700;

const parsed = async (address) => {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.redirected) location.assign(answer.url); // the session has ended
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

const preview = document.getElementById("preview");
const buffers = ["pickup_after_minutes", "appointment_after_days"].map((id) => document.getElementById(id));
let resting = 0;
let last = 0;

async function promise() {
  const turn = ++last;
  const query = new URLSearchParams(buffers.map((each) => [each.name, each.value]));
  try {
    const fresh = await parsed(`${preview.dataset.from}?${query}`);
    if (turn === last) preview.replaceChildren(...fresh.body.childNodes);
  } catch {
    // What is shown stays; Update Connector says what is wrong.
  }
}

if (preview) {
  for (const button of document.querySelectorAll(".without-script")) button.hidden = true;
  for (const each of buffers) {
    each.addEventListener("input", () => {
      clearTimeout(resting);
      resting = setTimeout(promise, REST_MS);
    });
  }
  setInterval(() => { if (!document.hidden) promise(); }, 60_000); // "now" moves on
}

async function ask() {
  const waiting = [...document.querySelectorAll("[data-pending]")];
  if (!waiting.length) return;
  try {
    const fresh = await parsed(location.pathname + location.search);
    for (const old of waiting) {
      const other = fresh.getElementById(old.id);
      if (!other || "pending" in other.dataset) continue;
      delete old.dataset.pending;
      old.replaceChildren(...other.childNodes);
    }
  } catch {
    // Asked again below.
  }
  setTimeout(ask, ASK_AGAIN_MS);
}

ask();

const code = document.querySelector("[data-follows]");
const name = code && document.getElementById(code.dataset.follows);
const codeOf = (words) => words.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 40).replace(/-$/, "");

if (code && code.value.replace(/-\d+$/, "") === codeOf(name.value)) {
  const follow = () => { code.value = codeOf(name.value); };
  name.addEventListener("input", follow);
  code.addEventListener("input", () => name.removeEventListener("input", follow), { once: true });
}
