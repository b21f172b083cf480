// What every page does: it leads the eye to what is wrong or missing, and sends a form once.

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

// What a form lacks is said beside its field, in the words of the page, and nothing is sent or lost.

const missing = new Map();
let first = null;

const placeOf = (field) => field.closest("[role=radiogroup]") ?? field;

function sayMissing(place, words) {
  const id = `${place.id}-wrong`;
  let said = document.getElementById(id);
  if (!said) {
    said = document.createElement("span");
    said.className = "wrong";
    said.id = id;
    if (place.matches("fieldset")) place.querySelector(".choices").before(said);
    else place.after(said);
    const described = place.getAttribute("aria-describedby");
    place.setAttribute("aria-describedby", described ? `${described} ${id}` : id);
    missing.set(place, said);
  }
  said.textContent = words;
  place.setAttribute("aria-invalid", "true");
  if (place.matches("fieldset")) place.tabIndex = -1;
}

document.addEventListener("invalid", (event) => {
  event.preventDefault();
  const field = event.target;
  const place = placeOf(field);
  const isMissing = field.validity.valueMissing;
  const words = place.dataset.missing ?? document.body.dataset.missing;
  sayMissing(place, isMissing ? words : field.validationMessage);
  // Each field that lacks something is told of in turn, as they stand on the page.
  if (!first) {
    setTimeout(() => {
      for (let at = first; at; at = at.parentElement) if (at.matches("details")) at.open = true;
      first.focus();
      first = null;
    });
  }
  first ??= place;
}, true);

document.addEventListener("input", (event) => {
  const place = placeOf(event.target);
  if (!missing.has(place)) return;
  missing.get(place).remove();
  missing.delete(place);
  place.removeAttribute("aria-invalid");
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
