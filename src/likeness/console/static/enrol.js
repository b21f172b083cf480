// Enrols many pictures, a few at a time: from a folder that is dropped or chosen, with progress.
// Pictures that come again are enrolled already, so whatever fails can be continued.

const MOST_PICTURES = 8;
const MOST_BYTES = 12 * 1024 * 1024;
const LARGEST_BYTES = 23 * 1024 * 1024; // what one request may hold
const MOST_SHOWN = 200;
const TRIES = 5;

const at = (id) => document.getElementById(id);
const form = at("enrol");
const words = at("enrol-words").dataset;
const drop = at("drop");
let chosen = []; // { file, path }, the path below what was dropped
let csrf = form.dataset.csrf;
let left = [];
let isRunning = false;
let wantsStop = false;
const counts = { enrolled: 0, already: 0, rejected: 0 };

const filled = (text, values) => text.replace(/\[(\w+)\]/g, (_, name) => values[name] ?? "");
const whose = () => new FormData(form).get("whose");

at("folder-field").hidden = !("webkitdirectory" in at("folder"));

// What was chosen

at("pictures").addEventListener("change", () => {
  choose([...at("pictures").files].map((file) => ({ file, path: file.name })));
});
at("folder").addEventListener("change", () => {
  choose([...at("folder").files].map((file) => ({ file, path: file.webkitRelativePath })));
});
form.addEventListener("change", show);
at("subject").addEventListener("input", show);

for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
  const files = [...event.dataTransfer.files];
  if (entries.some((entry) => entry?.isDirectory)) {
    const found = [];
    for (const entry of entries.filter(Boolean)) await addFilesBelow(entry, "", found);
    choose(found);
  } else {
    choose(files.map((file) => ({ file, path: file.name })));
  }
});

async function addFilesBelow(entry, above, found) {
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise((give, fail) => entry.file(give, fail));
    found.push({ file, path });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A reader gives a hundred at a time.
    const some = await new Promise((give, fail) => reader.readEntries(give, fail));
    if (!some.length) break;
    for (const one of some) await addFilesBelow(one, `${path}/`, found);
  }
}

function choose(files) {
  const shown = files.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
  // There may be more than a call takes as arguments.
  const deepest = shown.reduce((depth, { path }) => Math.max(depth, path.split("/").length), 0);
  const roots = new Set(shown.map(({ path }) => path.split("/")[0]));
  // Of one folder with folders, what lies in it itself is named by its files.
  const isNested = roots.size === 1 && deepest > 2;
  chosen = shown.map(({ file, path }) => ({
    file,
    path: isNested ? path.slice(path.indexOf("/") + 1) : path,
  }));
  if (deepest > 1) {
    at(isNested || roots.size > 1 ? "whose-folder" : "whose-file").checked = true;
  }
  show();
}

function personOf(path) {
  const parts = path.split("/");
  const file = parts.pop();
  const dot = file.lastIndexOf(".");
  const stem = dot > 0 ? file.slice(0, dot) : file;
  if (whose() === "one") return at("subject").value.trim();
  return (whose() === "folder" && parts.pop()) || stem;
}

function show() {
  const people = new Map();
  for (const { path } of chosen) {
    const person = personOf(path);
    people.set(person, (people.get(person) ?? 0) + 1);
  }
  at("found").hidden = !chosen.length;
  at("found-say").textContent = filled(words.found, { pictures: chosen.length, people: people.size });
  const listed = [...people].slice(0, MOST_SHOWN).map(([person, count]) => {
    const line = document.createElement("li");
    line.textContent = `${person || "–"} (${count})`;
    return line;
  });
  at("found-people").replaceChildren(...listed);
}

// Enrolling

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (isRunning) return;
  for (const name of Object.keys(counts)) counts[name] = 0;
  const problem = !chosen.length
    ? words.noPictures
    : whose() === "one" && !at("subject").value.trim()
      ? words.noName
      : "";
  at("unsent").hidden = !problem;
  at("unsent").textContent = problem;
  at("going").hidden = Boolean(problem);
  at("told").hidden = true;
  at("told").querySelector("ul").replaceChildren();
  at("see").hidden = true;
  at("going-say").textContent = "";
  if (problem) {
    (chosen.length ? at("subject") : at("pictures")).focus();
    return;
  }
  left = [...chosen];
  run(chosen.length);
});
at("continue").addEventListener("click", () => run(Number(at("progress").max)));
at("stop").addEventListener("click", () => {
  wantsStop = true;
});
window.addEventListener("beforeunload", (event) => {
  if (isRunning) event.preventDefault();
});

async function run(total) {
  isRunning = true;
  wantsStop = false;
  at("begin").disabled = true;
  at("stop").hidden = false;
  for (const id of ["continue", "sign-in", "going-problem"]) at(id).hidden = true;
  let problem = "";
  tell(total, words.going);
  while (left.length && !problem) {
    if (wantsStop) problem = words.stopped;
    else problem = await sendSome();
    tell(total, words.going);
  }
  isRunning = false;
  at("begin").disabled = false;
  at("stop").hidden = true;
  at("see").hidden = !(counts.enrolled || counts.already);
  at("continue").hidden = !problem;
  at("sign-in").hidden = problem !== words.over;
  at("going-problem").hidden = !problem;
  at("going-problem").textContent = problem;
  if (!problem) tell(total, words.done);
}

function tell(total, text) {
  at("progress").max = total;
  at("progress").value = total - left.length;
  at("going-say").textContent = filled(text, { done: total - left.length, total, ...counts });
}

// Sends the next pictures; gives what stands in the way, if anything does.
async function sendSome() {
  const some = [];
  let bytes = 0;
  for (const one of left) {
    const isFull = some.length >= MOST_PICTURES || bytes + one.file.size > MOST_BYTES;
    if (some.length && isFull) break;
    some.push(one);
    bytes += one.file.size;
  }
  const unfit = await reasonAgainst(some);
  if (unfit) {
    note({ ...resultOf(unfit.one), outcome: "rejected", reason: unfit.reason });
    left = left.filter((one) => one !== unfit.one);
    return "";
  }
  const body = new FormData(form);
  for (const name of ["pictures", "csrf", "once", "whose", "subject"]) body.delete(name);
  body.set("as_json", "yes");
  body.set("whose", whose());
  body.set("subject", at("subject").value);
  for (const { file, path } of some) {
    body.append("pictures", file, "picture");
    body.append("place", path);
  }
  const [results, problem] = await answerTo(body);
  if (problem) return problem;
  results.forEach(note);
  left = left.slice(some.length);
  return "";
}

// Finds a file that cannot be sent: it is too large, or was moved since it was chosen.
async function reasonAgainst(some) {
  for (const one of some) {
    if (one.file.size > LARGEST_BYTES) return { one, reason: words.tooLarge };
    try {
      await one.file.slice(0, 1).arrayBuffer();
    } catch {
      return { one, reason: words.unreadable };
    }
  }
  return null;
}

async function answerTo(body) {
  for (let wait = 1; ; wait += 1) {
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body, headers: { "X-CSRF": csrf } });
    } catch {
      return [null, words.lost];
    }
    if (answer.ok) return [(await answer.json()).results, ""];
    if ([429, 503].includes(answer.status) && wait < TRIES) {
      await new Promise((go) => setTimeout(go, wait * 1000));
      continue;
    }
    if (answer.status === 401) return [null, words.over];
    if (answer.status === 403 && (await renewed())) continue;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const said = page.querySelector("#problem, .problem");
    return [null, said ? said.textContent.trim() : words.lost];
  }
}

// After a sign-in in another window, forms bring something else along: takes it from the page.
async function renewed() {
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const other = page.getElementById("enrol")?.dataset.csrf;
  const isOther = Boolean(other) && other !== csrf;
  csrf = other ?? csrf;
  return isOther;
}

const resultOf = ({ path }) => ({ path, subject: personOf(path), remarks: "" });

function note(result) {
  counts[result.outcome] += 1;
  if (result.outcome !== "rejected" && !result.remarks) return;
  at("told").hidden = false;
  const line = document.createElement("li");
  const parts = [
    ["strong", result.path],
    ["bdi", result.subject],
    ["span", words[result.outcome], "tag"],
    ["span", result.reason || result.remarks, "hint"],
  ];
  for (const [tag, text, kind] of parts) {
    const part = document.createElement(tag);
    part.textContent = text;
    part.className = kind ?? "";
    line.append(part, " ");
  }
  at("told").querySelector("ul").append(line);
}
