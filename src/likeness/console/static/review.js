// Compares two faces: zooms and moves both alike, blinks between them, and works by keyboard.
// Without it both faces are shown and every verdict can be given.

const comparison = document.getElementById("comparison");
const form = document.getElementById("verdict");
const find = (id) => document.getElementById(id);
const stages = [...comparison.querySelectorAll("[data-stage]")];
const view = { zoom: 1, x: 0.5, y: 0.5 };

// Zoom and place: both faces show the same spot, which x and y name as shares of a side.

const zoom = find("zoom");

function draw() {
  const half = 0.5 / view.zoom;
  view.x = Math.min(1 - half, Math.max(half, view.x));
  view.y = Math.min(1 - half, Math.max(half, view.y));
  for (const stage of stages) {
    const moved = stage.querySelector(".moved");
    const left = (0.5 - view.x * view.zoom) * 100;
    const top = (0.5 - view.y * view.zoom) * 100;
    stage.classList.toggle("zoomed", view.zoom > 1);
    moved.style.transform = `translate(${left}%, ${top}%) scale(${view.zoom})`;
  }
  zoom.value = String(view.zoom);
}

function zoomTo(value) {
  view.zoom = Math.min(6, Math.max(1, value));
  draw();
}

function reset() {
  Object.assign(view, { zoom: 1, x: 0.5, y: 0.5 });
  draw();
}

function move(x, y) {
  view.x += x / view.zoom;
  view.y += y / view.zoom;
  draw();
}

const ARROWS = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };

for (const stage of stages) {
  stage.classList.add("movable");
  let from = null;
  stage.addEventListener("pointerdown", (event) => {
    from = [event.clientX, event.clientY];
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!from) return;
    move((from[0] - event.clientX) / stage.clientWidth, (from[1] - event.clientY) / stage.clientHeight);
    from = [event.clientX, event.clientY];
  });
  for (const over of ["pointerup", "pointercancel"]) stage.addEventListener(over, () => (from = null));
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    zoomTo(view.zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15));
  }, { passive: false });
  stage.addEventListener("keydown", (event) => {
    const by = ARROWS[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(...by);
  });
}

// Eyes level, or as kept.

const level = find("level");

function toggleLevel() {
  if (!level) return;
  const isLevel = level.getAttribute("aria-pressed") !== "true";
  level.setAttribute("aria-pressed", String(isLevel));
  for (const moved of comparison.querySelectorAll("[data-stage] .moved")) {
    moved.querySelector(".level").hidden = !isLevel;
    moved.querySelector(".as-kept").hidden = isLevel;
    const regions = moved.querySelector(".regions");
    if (regions) regions.toggleAttribute("hidden", !isLevel);
  }
}

// Blinking: in the place of the first face, the second one comes and goes, twice in three seconds.

const blink = find("blink");
const flip = find("flip");
const BLINK_MS = 750;
let timer = 0;

function overlay() {
  let over = comparison.querySelector(".over");
  if (over) return over;
  const seen = stages[1].querySelector(".moved > img:not([hidden])");
  over = seen.cloneNode();
  over.alt = "";
  over.classList.add("over");
  over.hidden = true;
  stages[0].querySelector(".moved").append(over);
  return over;
}

function swap() {
  const seen = stages[1].querySelector(".moved > img:not([hidden])");
  const over = overlay();
  over.src = seen.src;
  over.hidden = !over.hidden;
}

function toggleBlink() {
  if (!blink) return;
  const begins = blink.getAttribute("aria-pressed") !== "true";
  blink.setAttribute("aria-pressed", String(begins));
  const said = blink.textContent;
  blink.textContent = find("tools").dataset.blinking;
  find("tools").dataset.blinking = said;
  clearInterval(timer);
  if (begins) timer = setInterval(swap, BLINK_MS);
  else overlay().hidden = true;
}

// What counted: computed by the server, put into this page, so that zoom and text stay.

const showRegions = find("show-regions");

async function fetchRegions(event) {
  event.preventDefault();
  if (showRegions.disabled) return;
  showRegions.disabled = true;
  find("regions").setAttribute("aria-busy", "true");
  try {
    const sent = new URLSearchParams(new FormData(form));
    const answer = await fetch(showRegions.formAction, { method: "POST", body: sent });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const faces = [...page.querySelectorAll("#faces [data-stage] .moved")];
    if (!answer.ok || faces.length !== stages.length) throw new Error("no regions");
    faces.forEach((moved, place) => {
      const here = stages[place].querySelector(".moved");
      here.querySelector(".regions")?.remove();
      const found = moved.querySelector(".regions");
      if (found) here.append(document.importNode(found, true));
    });
    find("regions").replaceChildren(
      ...[...page.getElementById("regions").childNodes].map((one) => document.importNode(one, true)),
    );
    if (level && level.getAttribute("aria-pressed") !== "true") toggleLevel();
  } catch {
    showRegions.removeEventListener("click", fetchRegions);
    showRegions.disabled = false;
    form.requestSubmit(showRegions);
  } finally {
    showRegions.disabled = false;
    find("regions").removeAttribute("aria-busy");
  }
}

showRegions?.addEventListener("click", fetchRegions);

// Keys: single ones can be switched off, and never count while somebody writes.

const ON = "likeness-review-keys";
const keysOn = find("keys-on");
const support = (number) => form?.querySelector(`[data-key="${number}"]`);

const KEYS = {
  b: toggleBlink,
  f: () => blink && swap(),
  "+": () => zoomTo(view.zoom * 1.25),
  "=": () => zoomTo(view.zoom * 1.25),
  "-": () => zoomTo(view.zoom / 1.25),
  0: reset,
  l: toggleLevel,
  v: () => showRegions?.click(),
  r: () => find("reason")?.focus(),
};

function isWriting(target) {
  return target.closest("textarea, select, input:not([type=radio], [type=checkbox])") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey && form) {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || isWriting(event.target)) return;
  if (keysOn && !keysOn.checked) return;
  const chosen = /^[1-7]$/.test(event.key) ? support(event.key) : null;
  const act = KEYS[event.key.toLowerCase()];
  if (!chosen && !act) return;
  event.preventDefault();
  if (chosen) {
    chosen.checked = true;
    chosen.dispatchEvent(new Event("input", { bubbles: true }));
    chosen.focus();
  } else {
    act();
  }
});

if (keysOn) {
  find("keys").hidden = false;
  keysOn.checked = localStorage.getItem(ON) !== "no";
  keysOn.addEventListener("change", () => localStorage.setItem(ON, keysOn.checked ? "yes" : "no"));
}
if (stages.length) {
  find("tools").hidden = false;
  zoom.addEventListener("input", () => zoomTo(Number(zoom.value)));
  find("reset").addEventListener("click", reset);
  blink?.addEventListener("click", toggleBlink);
  flip?.addEventListener("click", swap);
  level?.addEventListener("click", toggleLevel);
  draw();
}
