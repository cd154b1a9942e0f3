// What is shown once is copied by a button, where the browser lets a page copy. Without it a click selects it whole.

const SAID_MS = 1500;

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, SAID_MS);
  });
}
