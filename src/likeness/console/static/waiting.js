// Shows how far an act is that the server does, and what came of it once it is done.

const EVERY_MS = 1000;

async function look() {
  let answer;
  try {
    answer = await fetch(location.href, { headers: { accept: "text/html" } });
  } catch {
    setTimeout(look, EVERY_MS); // the server may be back soon
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const waiting = page.querySelector("[data-waiting]");
  if (!answer.ok || !waiting) {
    location.reload();
    return;
  }
  const here = document.querySelector("[data-waiting]");
  const [said, now] = [here, waiting].map((one) => one.querySelector("[role=status]"));
  if (said.textContent !== now.textContent) said.textContent = now.textContent;
  const bar = waiting.querySelector("progress");
  if (bar.hasAttribute("value")) {
    Object.assign(here.querySelector("progress"), { max: bar.max, value: bar.value });
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
