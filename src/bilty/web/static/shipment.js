// The clock of a shipment's page: the hand of the window moves, what is next is counted down, and references are copied
// by a button. Where the hand stands is the server's word; between its words it moves on at the pace the server gave.

const TICK_MS = 1000;
const SAID_MS = 1500;
const began = new WeakMap(); // when each drawing came onto the page: its words are of that moment
const still = matchMedia("(prefers-reduced-motion: reduce)");

function secondsSince(element) {
  if (!began.has(element)) began.set(element, performance.now());
  return (performance.now() - began.get(element)) / 1000;
}

function moveHands() {
  for (const drawn of document.querySelectorAll(".window[data-x]")) {
    const { x, pace, until } = drawn.dataset;
    const now = Math.min(Number(until), Number(x) + Number(pace) * secondsSince(drawn));
    for (const hand of drawn.querySelectorAll(".hand, .hand-word")) hand.setAttribute("x", `${now.toFixed(3)}%`);
  }
}

function inWords(seconds) {
  if (seconds >= 3600) return ""; // the clock says it
  return `in ${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

function countDown() {
  for (const left of document.querySelectorAll("[data-in]")) {
    const words = inWords(Math.max(0, Number(left.dataset.in) - secondsSince(left)));
    if (left.textContent !== words) left.textContent = words;
  }
}

async function copied(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, SAID_MS);
}

function offerCopies() {
  if (!navigator.clipboard) return; // on plain http a click still selects it whole
  for (const button of document.querySelectorAll(".copy[hidden]")) button.hidden = false;
}

function tick() {
  moveHands();
  if (!still.matches) countDown();
  offerCopies();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".copy");
  if (button) copied(button);
});
tick();
setInterval(tick, TICK_MS);
