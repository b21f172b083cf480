// What every page does: it leads the eye to what is wrong, and sends a form once.

const problem = document.querySelector("[aria-invalid=true]") ?? document.getElementById("problem");
problem?.focus();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // A form whose answer is a file, or that came back from the history, may be sent again.
  setTimeout(() => delete form.dataset.sent, 5000);
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
