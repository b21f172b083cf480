// Follows a job that goes on; and moves the player to a moment that is chosen on the timeline.

const progress = document.querySelector(".job-progress");
if (progress) {
  const said = progress.querySelector("[role=status]");
  const bar = progress.querySelector("progress");
  const told = new EventSource(progress.dataset.progress);
  told.addEventListener("progress", (event) => {
    const job = JSON.parse(event.data);
    bar.value = job.percent;
    const words = job.percent ? `${job.said}, ${job.percent}%` : job.said;
    if (said.textContent !== words) said.textContent = words;
    document.querySelector("#job-state .tag").textContent = words;
    if (job.ended) {
      told.close();
      location.reload();
    }
  });
}

const seen = document.querySelector(".seen");
const video = seen?.querySelector("video");
const now = seen?.querySelector(".now");
let plays = Boolean(video);

video?.querySelector("source").addEventListener("error", () => {
  plays = false;
  now.textContent = video.dataset.cannot;
});

function show(seconds) {
  video.currentTime = seconds;
  video.scrollIntoView({ block: "nearest" });
}

seen?.addEventListener("click", (event) => {
  if (!plays) return;
  const link = event.target.closest("[data-at]");
  if (link) {
    event.preventDefault();
    show(Number(link.dataset.at));
    now.textContent = link.dataset.now;
    return;
  }
  const line = event.target.closest(".line");
  if (line) {
    const place = line.getBoundingClientRect();
    const share = (event.clientX - place.left) / place.width;
    show(Number(seen.dataset.begins) + share * Number(seen.dataset.lasts));
  }
});

video?.addEventListener("timeupdate", () => {
  const share = (video.currentTime - Number(seen.dataset.begins)) / Number(seen.dataset.lasts);
  const x = Math.max(0, Math.min(998, 1000 * share));
  for (const head of seen.querySelectorAll(".line .head")) head.setAttribute("x", x);
});
