// A file is sent as soon as it is chosen or dropped. Without this script its button sends it.

const upload = document.getElementById("upload");

function send() {
  const [file] = upload.elements.file.files;
  if (!file) return;
  document.getElementById("sending").textContent = `${file.name} is being sent.`;
  upload.requestSubmit();
}

if (upload) {
  const drop = upload.querySelector(".drop");
  upload.elements.file.addEventListener("change", send);
  drop.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    upload.elements.file.files = event.dataTransfer.files;
    send();
  });
  addEventListener("pageshow", () => { document.getElementById("sending").textContent = ""; });
}
