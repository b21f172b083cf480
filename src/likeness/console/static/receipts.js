// Receipts that are dropped anywhere on the page are checked at once.

const form = document.querySelector("form.drop");
const chosen = form.querySelector("input[name=receipts]");

function over(is) {
  form.classList.toggle("over", is);
}

document.addEventListener("dragover", (event) => {
  event.preventDefault();
  over(true);
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) over(false);
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  over(false);
  if (!event.dataTransfer.files.length) return;
  chosen.files = event.dataTransfer.files;
  form.requestSubmit();
});
