// Shows an answer without leaving the page, so that the pictures that were chosen stay chosen.

class Unsent extends Error {}

async function ask(form, button) {
  const files = {};
  for (const input of form.querySelectorAll("input[type=file]")) files[input.name] = input.files;
  const unsent = form.querySelector("[data-unsent]");
  const waiting = form.querySelector("[data-waiting]");
  const bytes = Object.values(files).flatMap((list) => [...list]).reduce((all, file) => all + file.size, 0);
  unsent.hidden = true;
  waiting.hidden = false;
  form.setAttribute("aria-busy", "true");
  try {
    if (bytes > Number(unsent.dataset.mostBytes)) throw new Unsent(unsent.dataset.tooLarge);
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form, button) });
    if (answer.redirected) location.assign(answer.url);
    else show(await answer.text(), files);
  } catch (error) {
    unsent.textContent = error instanceof Unsent ? error.message : unsent.dataset.unreachable;
    unsent.hidden = false;
  } finally {
    waiting.hidden = true;
    form.removeAttribute("aria-busy");
    delete form.dataset.asking;
    delete form.dataset.sent;
  }
}

function show(html, files) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const shown = page.querySelector("main");
  // A page that only says what went wrong must not take away what was chosen; one to sign in may.
  if (!shown?.querySelector("form")) {
    throw new Unsent(shown?.querySelector(".problem")?.textContent ?? "");
  }
  // Who has to sign in again is not signed in any more.
  document.querySelector("header").replaceWith(page.querySelector("header"));
  document.querySelector("main").replaceWith(shown);
  for (const [name, chosen] of Object.entries(files)) {
    const input = shown.querySelector(`input[type=file][name="${CSS.escape(name)}"]`);
    if (input) input.files = chosen;
  }
  document.dispatchEvent(new Event("redrawn"));
  const first = shown.querySelector("[aria-invalid=true]")
    ?? shown.querySelector("#problem, .problem, #answer");
  if (first) {
    if (!first.hasAttribute("tabindex") && !first.matches("input, select")) first.tabIndex = -1;
    first.focus();
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.classList.contains("asks")) return;
  event.preventDefault();
  if (form.dataset.asking) return;
  form.dataset.asking = "yes";
  ask(form, event.submitter);
});
