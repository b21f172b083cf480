// Fields for pictures: drop files on them, paste into the page, or take one with the camera.
// Whatever way a picture comes, it ends in the field's own input, so that its form sends it.

let lastUsed = null;

function put(input, files) {
  const pictures = [...files].filter((file) => file.type.startsWith("image/") || !file.type);
  if (!pictures.length) return;
  const chosen = new DataTransfer();
  for (const file of input.multiple ? pictures : pictures.slice(0, 1)) chosen.items.add(file);
  input.files = chosen.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function preview(field, input) {
  const list = field.querySelector("[data-previews]");
  for (const shown of list.querySelectorAll("img")) URL.revokeObjectURL(shown.src);
  list.replaceChildren();
  for (const file of [...input.files].slice(0, 12)) {
    const image = document.createElement("img");
    image.alt = file.name;
    image.src = URL.createObjectURL(file);
    // What no browser can show may be a picture for us all the same.
    image.addEventListener("error", () => image.replaceWith(file.name));
    const item = document.createElement("li");
    item.append(image);
    list.append(item);
  }
  list.hidden = !input.files.length;
}

function wireCamera(field, input) {
  const view = field.querySelector("[data-camera-view]");
  const video = view.querySelector("video");
  const start = field.querySelector("[data-camera-start]");
  const wrong = field.querySelector("[data-camera-wrong]");
  let stream = null;

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    view.hidden = true;
    start.hidden = false;
  }

  start.addEventListener("click", async () => {
    wrong.hidden = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
    } catch {
      wrong.hidden = false;
      return;
    }
    video.srcObject = stream;
    await video.play();
    start.hidden = true;
    view.hidden = false;
    view.querySelector("[data-camera-take]").focus();
  });
  view.querySelector("[data-camera-stop]").addEventListener("click", () => {
    stop();
    start.focus();
  });
  view.querySelector("[data-camera-take]").addEventListener("click", () => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    stop();
    canvas.toBlob((blob) => {
      put(input, [new File([blob], "camera.jpg", { type: "image/jpeg" })]);
      input.form.querySelector("button:not([type=button])").focus();
    }, "image/jpeg", 0.95);
  });
  window.addEventListener("pagehide", stop);
  field.querySelector("[data-camera]").hidden = false;
}

function wire(field) {
  if (field.dataset.wired) return;
  field.dataset.wired = "yes";
  const input = field.querySelector("input[type=file]");
  field.querySelector("[data-drop-hint]").hidden = false;
  const sample = input.form.elements[`${input.name}_sample`];
  input.addEventListener("change", () => {
    lastUsed = input;
    if (sample && input.files.length) sample.value = "";
    preview(field, input);
  });
  sample?.addEventListener("change", () => {
    if (!sample.value) return;
    input.value = "";
    preview(field, input);
  });
  input.addEventListener("focus", () => (lastUsed = input));
  for (const kind of ["dragenter", "dragover"]) {
    field.addEventListener(kind, (event) => {
      event.preventDefault();
      field.classList.add("over");
    });
  }
  field.addEventListener("dragleave", () => field.classList.remove("over"));
  field.addEventListener("drop", (event) => {
    event.preventDefault();
    field.classList.remove("over");
    put(input, event.dataTransfer.files);
  });
  if (navigator.mediaDevices?.getUserMedia) wireCamera(field, input);
  if (sample && input.files.length) sample.value = "";
  preview(field, input);
}

function wireAll() {
  document.querySelectorAll("[data-drop]").forEach(wire);
}

document.addEventListener("paste", (event) => {
  const inputs = [...document.querySelectorAll("[data-drop] input[type=file]")];
  const empty = inputs.find((input) => !input.files.length);
  const to = inputs.includes(lastUsed) && !lastUsed.files.length ? lastUsed : (empty ?? inputs[0]);
  if (to && event.clipboardData?.files.length) {
    event.preventDefault();
    put(to, event.clipboardData.files);
  }
});
// A picture that misses the field must not replace the page.
for (const kind of ["dragover", "drop"]) {
  window.addEventListener(kind, (event) => event.preventDefault());
}
document.addEventListener("redrawn", wireAll);
wireAll();
