// Shows an answer without leaving the page, so that the pictures that were chosen stay chosen.

async function ask(form, button) {
  const files = {};
  for (const input of form.querySelectorAll("input[type=file]")) files[input.name] = input.files;
  const waiting = form.querySelector("[data-waiting]");
  waiting.hidden = false;
  form.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: new FormData(form, button) });
    if (answer.redirected) {
      location.assign(answer.url);
      return;
    }
    show(await answer.text(), files);
  } catch {
    waiting.hidden = true;
    form.querySelector("[data-unreachable]").hidden = false;
  } finally {
    form.removeAttribute("aria-busy");
    delete form.dataset.asking;
    delete form.dataset.sent;
  }
}

function show(html, files) {
  const shown = new DOMParser().parseFromString(html, "text/html").querySelector("main");
  document.querySelector("main").replaceWith(shown);
  for (const [name, chosen] of Object.entries(files)) {
    const input = shown.querySelector(`input[type=file][name="${CSS.escape(name)}"]`);
    if (input) input.files = chosen;
  }
  document.dispatchEvent(new Event("redrawn"));
  tellOrigin();
  const first = shown.querySelector("[aria-invalid=true]")
    ?? shown.querySelector("#problem, .problem, #answer");
  if (first) {
    if (!first.hasAttribute("tabindex") && !first.matches("input, select")) first.tabIndex = -1;
    first.focus();
  }
}

function tellOrigin() {
  for (const place of document.querySelectorAll("[data-origin]")) place.textContent = location.origin;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.classList.contains("asks")) return;
  event.preventDefault();
  if (form.dataset.asking) return;
  form.dataset.asking = "yes";
  ask(form, event.submitter);
});
tellOrigin();
