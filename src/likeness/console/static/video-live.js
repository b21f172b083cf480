// Puts sightings on the page as a live search tells them, the newest on top.

const list = document.querySelector(".told[data-events]");
const status = document.querySelector(".listening");
const MOST = 500;

if (list) {
  const told = new EventSource(list.dataset.events);
  told.addEventListener("open", () => { status.textContent = status.dataset.on; });
  told.addEventListener("error", () => { status.textContent = status.dataset.broken; });
  told.addEventListener("sighting", (event) => {
    const template = document.createElement("template");
    template.innerHTML = event.data;
    list.prepend(template.content);
    document.querySelector(".nothing")?.remove();
    while (list.children.length > MOST) list.lastElementChild.remove();
  });
  told.addEventListener("state", (event) => {
    document.getElementById("search-state").textContent = event.data;
  });
  told.addEventListener("end", () => {
    told.close();
    location.reload();
  });
}
