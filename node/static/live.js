// Keeps an open page true: when the node says that something was committed, fetch this page anew and exchange the parts
// that changed, each with a quiet "new" beside its heading. Nothing jumps; what somebody is typing in or reads from is left
// alone until they leave it. Without this script every page works as it is.

const main = document.querySelector("#main .sections");
const status = document.querySelector("#news");
const source = main && status ? new EventSource("/live") : null;
let waiting = false;
let busy = false;

source?.addEventListener("moved", (event) => {
  const rooms = new Set(JSON.parse(event.data).rooms);
  for (const link of document.querySelectorAll("[data-room]")) {
    if (rooms.has(link.dataset.room) && !link.hasAttribute("aria-current")) mark(link);
  }
  later();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting) later(); });
addEventListener("pagehide", () => source?.close());

function later() {
  waiting = true;
  if (!document.hidden && !busy) renew();
}

async function renew() {
  busy = true;
  waiting = false;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } finally {
    busy = false;
    if (waiting) later();
  }
}

function exchange(fresh) {
  const parts = [...fresh.querySelectorAll("#main .sections > section")];
  let said = "";
  let before = null;
  for (const part of parts) {
    const old = [...main.children].find((each) => named(each) === named(part));
    if (!old) {
      before ? before.after(part) : main.prepend(part);
      mark(part.querySelector("h2"));
      said = part.querySelector("h2")?.textContent ?? said;
      before = part;
      continue;
    }
    before = old;
    if (bare(old) === bare(part) || old.contains(document.activeElement)) continue;
    const open = [...old.querySelectorAll("details")].map((each) => each.open);
    [...part.querySelectorAll("details")].forEach((each, at) => { each.open = open[at] ?? false; });
    const telling = words(old) !== words(part);
    old.replaceChildren(...part.childNodes);
    if (telling) {
      mark(old.querySelector("h2"));
      said = old.querySelector("h2")?.firstChild?.textContent ?? said;
    }
  }
  const names = new Set(parts.map(named));
  for (const old of [...main.children]) {
    if (old.matches("section") && !names.has(named(old)) && !old.contains(document.activeElement)) old.remove();
  }
  if (said) status.textContent = `New: ${said}`;
}

function named(part) {
  return part.getAttribute("aria-labelledby") ?? part.className;
}

function bare(part) {
  const copy = part.cloneNode(true);
  for (const each of copy.querySelectorAll(".new")) each.remove();
  for (const each of copy.querySelectorAll("details")) each.open = false;
  return copy.innerHTML;
}

function words(part) {
  const copy = part.cloneNode(true);
  for (const each of copy.querySelectorAll(".new, time, svg")) each.remove();
  return copy.textContent;
}

function mark(place) {
  if (!place || place.querySelector(".new")) return;
  const sign = document.createElement("span");
  sign.className = "new";
  sign.textContent = "new";
  place.append(sign);
}
