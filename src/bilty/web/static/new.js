// Rows come and go without leaving the page, totals are added up while you type, and the e-way bill's field appears
// when it is due. The server does all of it too, whenever a button is pressed: it writes the rows here as there.

const form = document.getElementById("new");
const rupees = new Intl.NumberFormat("en-IN", { style: "currency", currency: "INR" });
const figure = new Intl.NumberFormat("en-IN", { maximumFractionDigits: 3 });

const number = (input) => {
  const typed = input.value.trim();
  return /^[0-9]{1,9}(\.[0-9]{1,3})?$/.test(typed) ? Number(typed) : 0;
};

function sum() {
  let boxes = 0;
  let weight = 0;
  for (const row of form.querySelectorAll(".row.box")) {
    const inputs = [...row.querySelectorAll("input")];
    const count = row.querySelector("[data-sum=count]");
    if (!inputs.some((input) => input !== count && input.value.trim())) continue; // a new row
    const many = count.value.trim() ? number(count) : 1;
    boxes += many;
    weight += many * number(row.querySelector("[data-sum=weight]"));
  }
  const value = [...form.querySelectorAll("[data-sum=value]")].reduce((all, input) => all + number(input), 0);
  form.querySelector("#sum-boxes").textContent = figure.format(boxes);
  form.querySelector("#sum-weight").textContent = `${figure.format(weight)} kg`;
  form.querySelector("#sum-value").textContent = rupees.format(value);
}

function showEwaybills() {
  for (const block of form.querySelectorAll(".ewaybill")) {
    const value = block.closest(".row").querySelector("[data-sum=value]");
    const filled = [...block.querySelectorAll("input")].some((input) => input.value || input.matches("[aria-invalid]"));
    block.classList.toggle("due", filled || number(value) > Number(block.dataset.threshold));
  }
}

function offerNumbers() {
  for (const [paper, list] of [["invoice", "invoice-numbers"], ["order", "order-numbers"]]) {
    const options = [...form.querySelectorAll(`[data-paper=${paper}]`)].filter((input) => input.value).map((input) => {
      const option = document.createElement("option");
      option.value = input.value;
      return option;
    });
    document.getElementById(list).replaceChildren(...options);
  }
}

function refresh() {
  sum();
  showEwaybills();
  offerNumbers();
}

// The server answers with the whole form; only the rows are taken over, so that nothing else moves.
async function redraw(button) {
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form, button), headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = [...page.querySelectorAll("[data-part]")];
  if (!parts.length) throw new Error("another page");
  const opened = new Set([...form.querySelectorAll(".row.box details")].flatMap((each, n) => (each.open ? [n] : [])));
  for (const part of parts) form.querySelector(`[data-part=${part.dataset.part}]`).replaceWith(part);
  if (!button.value.startsWith("drop-box") && !button.value.startsWith("copy-box")) {
    form.querySelectorAll(".row.box details").forEach((each, n) => { if (opened.has(n)) each.open = true; });
  }
  const onward = form.querySelector("[data-part] [autofocus]") ?? form.querySelector(`[value="${CSS.escape(addOf(button.value))}"]`);
  onward?.focus();
  onward?.select?.();
  refresh();
}

// After a row went, typing goes on at the button that brings another.
const addOf = (order) => `add-${order.split(":")[0].replace(/^(drop|copy|add)-/, "")}${order.includes("item") ? `:${order.split(":")[1].split(".")[0]}` : ""}`;

let byItself = false; // the server does not answer a script: the browser is to send the form

if (form) {
  form.classList.add("scripted");
  form.addEventListener("input", refresh);
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (byItself || !/^(add|copy|drop)-/.test(button?.value ?? "")) return;
    event.preventDefault();
    redraw(button).catch(() => {
      byItself = true;
      form.requestSubmit(button);
    });
  });
  refresh();
}
