// A page of parts: only what the server wrote anew is replaced. What a person has opened, focused or begun to fill in stays.

const written = new Map(); // each part as the server wrote it, before any script or person touched it
const partsOf = (root) => root.querySelectorAll("[data-part]");

export const hasParts = (root) => root.querySelector("[data-part]") !== null;

export function learn(root) {
  for (const part of partsOf(root)) written.set(part.dataset.part, part.outerHTML);
}

function isTouched(field) {
  if (field === document.activeElement) return true;
  if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected && !option.defaultSelected && option.index > 0);
  return field.type === "file" ? field.files.length > 0 : field.value !== field.defaultValue || field.checked !== field.defaultChecked;
}

const isBeingFilledIn = (part) => [...part.querySelectorAll("input, select, textarea")].some(isTouched);

function keepAsItWas(old, fresh) {
  for (const details of old.querySelectorAll("details[id]")) {
    const same = fresh.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = details.open;
  }
  for (const scrolled of old.querySelectorAll(".scroll")) {
    const same = [...fresh.querySelectorAll(".scroll")].find((each) => each.getAttribute("aria-label") === scrolled.getAttribute("aria-label"));
    if (same && scrolled.scrollLeft) requestAnimationFrame(() => { same.scrollLeft = scrolled.scrollLeft; });
  }
}

// What to focus again: by its id, or as the same link or button in the same part.
function sameAs(element, fresh) {
  if (element.id) return fresh.querySelector(`#${CSS.escape(element.id)}`);
  const text = element.textContent;
  return [...fresh.querySelectorAll(element.tagName)].find((each) => each.textContent === text && each.getAttribute("href") === element.getAttribute("href"));
}

// True when all of it could be shown; false when a part waits for a person to finish.
export function swapParts(fresh, page) {
  let all = true;
  for (const next of [...partsOf(fresh)]) {
    const name = next.dataset.part;
    const html = next.outerHTML;
    const old = page.querySelector(`[data-part="${CSS.escape(name)}"]`);
    if (!old || written.get(name) === html) continue;
    if (isBeingFilledIn(old)) { all = false; continue; }
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    keepAsItWas(old, next);
    old.replaceWith(next);
    written.set(name, html);
    if (focused) sameAs(focused, next)?.focus({ preventScroll: true });
  }
  return all;
}
