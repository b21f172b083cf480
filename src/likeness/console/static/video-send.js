// Sends a clip in pieces before its form is sent, and says how far that is. A file may be dropped.

const form = document.querySelector("form.send");
const input = form?.querySelector("input[type=file]");
const sending = form?.querySelector(".sending");
const said = sending?.querySelector("[role=status]");
const bar = sending?.querySelector("progress");
const drop = form?.querySelector(".drop");
const TRIES = 4;
let stopped = null;

async function send(file) {
  const pieceBytes = Number(sending.dataset.pieceBytes);
  let clip = "";
  for (let offset = 0; offset < file.size; offset += pieceBytes) {
    const piece = file.slice(offset, offset + pieceBytes);
    clip = await sendPiece(file, clip, offset, piece);
    tell(offset + piece.size, file.size);
  }
  return clip;
}

async function sendPiece(file, clip, offset, piece) {
  for (let tried = 1; ; tried += 1) {
    const body = new FormData();
    body.append("clip", clip);
    body.append("bytes", String(file.size));
    body.append("offset", String(offset));
    body.append("piece", piece, "piece");
    try {
      const answer = await fetch(sending.dataset.pieces, {
        method: "POST", body, signal: stopped.signal, headers: { "x-csrf": sending.dataset.csrf },
      });
      if (answer.ok) return (await answer.json()).clip;
      const isOver = answer.status === 401;
      const refused = new Error(isOver ? sending.dataset.over : await reasonOf(answer));
      // A server that is busy, or restarts, may take it later; whatever else it says stays so.
      if (answer.status < 500 && answer.status !== 408) throw Object.assign(refused, { final: true });
      throw refused;
    } catch (error) {
      if (error.name === "AbortError" || error.final || tried === TRIES) throw error;
      await new Promise((later) => setTimeout(later, 500 * 2 ** tried));
    }
  }
}

async function reasonOf(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[role=alert]")?.textContent.trim() ?? `${answer.status}`;
}

function tell(done, all) {
  const percent = Math.floor((100 * done) / all);
  bar.value = percent;
  said.textContent = sending.dataset.sending.replace("{percent}", percent);
}

form?.addEventListener("submit", async (event) => {
  const file = input.files[0];
  if (!file) return;
  event.preventDefault();
  stopped = new AbortController();
  const button = form.querySelector("button:not([type=button])");
  sending.hidden = false;
  button.disabled = true;
  tell(0, 1);
  try {
    form.elements.clip.value = await send(file);
    form.elements.clip_bytes.value = String(file.size);
    form.elements.clip_name.value = file.name;
    input.value = "";
    form.submit();
  } catch (error) {
    const isStopped = error.name === "AbortError";
    said.textContent = isStopped
      ? sending.dataset.stopped
      : sending.dataset.failed.replace("{reason}", error.message);
    bar.value = 0;
    button.disabled = false;
    delete form.dataset.sent;
  }
});

sending?.querySelector("button").addEventListener("click", () => stopped?.abort());

for (const name of ["dragenter", "dragover"]) {
  drop?.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
drop?.addEventListener("dragleave", () => drop.classList.remove("over"));
drop?.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
});
